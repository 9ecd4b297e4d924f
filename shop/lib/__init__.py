"""The floor: money, tables, ids, cursors, once. Imports nothing of ours."""
