"""What the shop has to know of S3: its addresses on AWS, and which of its troubles pass."""

from botocore import exceptions

_SERVER_ERROR = 500


def s3_host(region: str) -> str:
    """The host of a region's own S3: the general one redirects, which a browser's upload does not follow."""
    return f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def is_passing(error: Exception) -> bool:
    """Whether S3 was silent, out of reach or overloaded: a later try may do. What it refuses is no such trouble."""
    if isinstance(error, exceptions.ClientError):
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"]) >= _SERVER_ERROR
    return isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError)
