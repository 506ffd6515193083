"""Results as one HTML page that needs nothing else: no network, no other file.

`contents` says what a page can hold, `of_runs`, `of_images` and `of_sweeps` gather it from a
folder, `curves` and `view` make what moves, `writing` puts it together.
"""
