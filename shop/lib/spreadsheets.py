"""Cells of CSV files that people open in a spreadsheet program."""

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def text_cell(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula: one that looks like it gets an apostrophe in front.

    For text alone; a number's minus sign stays a number. https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
