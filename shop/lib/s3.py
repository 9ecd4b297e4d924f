"""Where S3 is on AWS, for what signs or allows its addresses without a client of S3."""


def s3_host(region: str) -> str:
    """The host of a region's own S3: the general one redirects, which a browser's upload does not follow."""
    return f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
