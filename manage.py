#!/usr/bin/env python
"""Django's command line for this shop."""

import os
import sys

from django.core.management import execute_from_command_line

from shop.lib.env import BadSetting

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    try:
        execute_from_command_line(sys.argv)
    except BadSetting as problem:
        sys.exit(str(problem))
