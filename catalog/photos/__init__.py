"""Product photographs: taken in from browsers and folders, re-encoded to WebP in a few widths, kept in the media bucket.

No byte of a stranger's file is ever shown to a shopper: what is kept was encoded here from decoded pixels. Importing this
package costs no Pillow and no boto3; calling it does.
"""

from catalog.photos.refusals import (
    CONTENT_TYPES,
    MAX_BYTES,
    DamagedImage,
    NotAnImage,
    PhotoRefused,
    TooLarge,
    TooManyPixels,
    UnknownUpload,
    UnsupportedType,
)
from catalog.photos.storage import bucket, photo_key, store_photo, webp_widths
from catalog.photos.uploads import Upload, finish_upload, start_upload, upload_origin

__all__ = [
    "CONTENT_TYPES",
    "MAX_BYTES",
    "DamagedImage",
    "NotAnImage",
    "PhotoRefused",
    "TooLarge",
    "TooManyPixels",
    "UnknownUpload",
    "UnsupportedType",
    "Upload",
    "bucket",
    "finish_upload",
    "photo_key",
    "start_upload",
    "store_photo",
    "upload_origin",
    "webp_widths",
]
