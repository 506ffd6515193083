"""Write results as one HTML page that needs no network and no other file.

`contents` says what a page can hold, `gathering` collects it from a folder, `curves` and `view`
make what moves, `writing` puts it together.
"""
