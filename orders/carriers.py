"""Who carries parcels, and where each shows how far one has come."""

from urllib.parse import quote

CARRIERS: dict[str, str] = {
    "UPS": "https://www.ups.com/track?tracknum={number}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={number}",
    "DHL": "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}",
    "DHL Paket": "https://www.dhl.de/de/privatkunden/pakete-empfangen/verfolgen.html?piececode={number}",
    "DPD": "https://tracking.dpd.de/status/en_US/parcel/{number}",
    "GLS": "https://gls-group.com/GROUP/en/parcel-tracking?match={number}",
    "Royal Mail": "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
    "Evri": "https://www.evri.com/track/parcel/{number}",
    "La Poste": "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
    "Swiss Post": "https://service.post.ch/ekp-web/ui/entry/search/{number}",
    "Austrian Post": "https://www.post.at/sv/sendungsdetails?snr={number}",
    "Canada Post": "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={number}",
    "Purolator": "https://www.purolator.com/en/shipping/tracker?pin={number}",
    "Australia Post": "https://auspost.com.au/mypost/track/details/{number}",
}
"""Name, as staff write and shoppers read it, to the address of its tracking page. A line more is a carrier more."""


def _plain(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())


_BY_PLAIN_NAME = {_plain(name): address for name, address in CARRIERS.items()}


def tracking_url(carrier: str, tracking_number: str) -> str:
    """Where to follow a parcel; empty for a carrier that is not in the table, or without a number."""
    address = _BY_PLAIN_NAME.get(_plain(carrier), "")
    number = "".join(tracking_number.split())
    return address.format(number=quote(number, safe="")) if address and number else ""
