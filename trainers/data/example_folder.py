"""python -m trainers.data.example_folder: a folder of pictures such as people have, to try it on.

Tiles of scikit-learn's two photographs, a folder a class, with what real folders bring along: JPEGs
that a camera has stored turned, a folder within a class, a TIFF, a file that is cut short, a class
of any name. No pixel is in two pictures. The same command makes the same bytes.
"""

import importlib.util
import pathlib

from absl import flags

from zoo import files, program

TILE_PX = 40
# A class, its photograph, and where in it: left, top, columns and rows of tiles.
CLASSES = {
    "Café – 猫 $5": ("china.jpg", 80, 40, 6, 8),
    "sky": ("china.jpg", 360, 0, 7, 5),
    "flower": ("flower.jpg", 170, 90, 7, 6),
    "leaves": ("flower.jpg", 0, 0, 4, 10),
}
NESTED, TIFF = "flower/second visit", "sky/scan.tif"
BROKEN = "leaves/cut short.jpg"  # its name's hash puts it among the pictures to train on, of seed 0
TURNS = 8  # ways up that Exif knows, taken one after another

_OUTPUT_DIR = flags.DEFINE_string("output_dir", "data/example-folder", "where to put it")


def main(arguments):
    program.no_arguments(arguments)
    root = files.make_directory(_OUTPUT_DIR.value)
    count = 0
    for label, place in CLASSES.items():
        for number, tile in enumerate(tiles(*place)):
            name = f"{label}/{number:03}.jpg"
            if label == "flower" and number % 3 == 0:
                name = f"{NESTED}/{number:03}.jpg"
            write(root / name, tile, number % TURNS + 1)
            count += 1
    write(root / TIFF, tile)
    write(root / BROKEN, tile.resize((8 * TILE_PX, 8 * TILE_PX)))
    content = (root / BROKEN).read_bytes()
    with files.replacing(root / BROKEN) as temporary:
        temporary.write_bytes(content[: len(content) // 2])
    print(f"{root}: {count} JPEGs of {len(CLASSES)} classes, a TIFF, and a file that is cut short")


def tiles(photograph, left, top, columns, rows):
    """The squares of a grid over a part of a photograph, row by row: Pillow's images."""
    from PIL import Image

    package = importlib.util.find_spec("sklearn").submodule_search_locations[0]
    whole = Image.open(pathlib.Path(package) / "datasets" / "images" / photograph)
    for number in range(columns * rows):
        x, y = left + number % columns * TILE_PX, top + number // columns * TILE_PX
        yield whole.crop((x, y, x + TILE_PX, y + TILE_PX))


def write(path, image, turn=1):
    """The picture by its name's format, stored as a camera that lay on its side would."""
    from PIL import ExifTags, Image

    stored = {  # what `turn`, seen from the sensor, undoes (Exif 2.32, 4.6.4)
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    options = {}
    if turn in stored:
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = turn
        image, options = image.transpose(stored[turn]), {"exif": exif}
    files.make_directory(path.parent)
    with files.replacing(path) as temporary:
        image.save(temporary, **options)


if __name__ == "__main__":
    program.run(main, __doc__)
