"""Makes the masks of examples/masks and examples/content/palette.png.

    python3 examples/masks/make.py      (needs Pillow; run in the folder of the project)

White is "here". The masks are drawn at a fraction of the pictures' sizes: a mask may have any size, only its proportions count.
"""

from PIL import Image, ImageDraw, ImageFilter


def sky():
    """The sky of content/mountains.jpg: above a line drawn along the ridge, with an edge of a few pixels."""
    ridge = [
        (0, 114), (26, 116), (52, 137), (70, 142), (93, 163), (117, 192), (128, 207), (175, 215), (210, 233), (239, 258),
        (258, 272), (280, 262), (305, 239), (338, 233), (356, 192), (373, 149), (402, 134), (431, 130), (466, 122),
        (501, 137), (530, 160), (560, 163), (595, 149), (635, 142), (688, 126), (723, 116), (758, 105), (800, 91),
    ]
    mask = Image.new("L", (800, 600), 0)
    ImageDraw.Draw(mask).polygon([(0, 0), *ridge, (800, 0)], fill=255)
    mask.filter(ImageFilter.GaussianBlur(3)).resize((400, 300)).save("examples/masks/mountains-sky.png", optimize=True)


def painted_sky():
    """The sky of style/cafe_terrace.webp, between the roofs."""
    mask = Image.new("L", (401, 500), 0)
    sky = [(207, -30), (340, -30), (323, 75), (282, 100), (250, 150), (232, 175), (223, 150), (207, 113)]
    ImageDraw.Draw(mask).polygon(sky, fill=255)
    mask.filter(ImageFilter.GaussianBlur(3)).save("examples/masks/cafe_terrace-sky.png", optimize=True)


def fields():
    """The fields of style/harvest_at_la_crau.webp: below the hills, without the white border."""
    mask = Image.new("L", (606, 500), 0)
    ImageDraw.Draw(mask).rectangle((0, 118, 606, 482), fill=255)
    mask.filter(ImageFilter.GaussianBlur(3)).resize((303, 250)).save("examples/masks/harvest-fields.png", optimize=True)


def face():
    """The face of content/astronaut.png: an oval with a soft edge."""
    mask = Image.new("L", (512, 512), 0)
    ImageDraw.Draw(mask).ellipse((163, 22, 291, 200), fill=255)
    mask.filter(ImageFilter.GaussianBlur(9)).resize((256, 256)).save("examples/masks/astronaut-face.png", optimize=True)


def palette():
    """A painter's palette on nothing: content/palette.png, with transparency."""
    scale, side = 4, 480
    logo = Image.new("RGBA", (side * scale, side * scale), (0, 0, 0, 0))
    draw = ImageDraw.Draw(logo)

    def box(x, y, rx, ry):
        return [scale * value for value in (x - rx, y - ry, x + rx, y + ry)]

    draw.ellipse(box(240, 240, 215, 170), fill=(206, 156, 96, 255))
    draw.ellipse(box(250, 236, 196, 150), fill=(224, 178, 116, 255))
    for x, y, radius, colour in [
        (120, 200, 34, (200, 44, 40)), (175, 135, 34, (236, 188, 40)), (255, 115, 34, (60, 140, 70)),
        (335, 140, 34, (44, 92, 176)), (385, 215, 34, (120, 60, 140)), (140, 290, 30, (240, 240, 236)),
    ]:
        draw.ellipse(box(x, y, radius, radius * 0.86), fill=(*colour, 255))
        lighter = tuple((value + 255) // 2 for value in colour)
        draw.ellipse(box(x - 9, y - 9, radius * 0.35, radius * 0.25), fill=(*lighter, 255))
    draw.ellipse(box(300, 315, 42, 34), fill=(0, 0, 0, 0))
    logo.resize((side, side), Image.LANCZOS).save("examples/content/palette.png", optimize=True)


if __name__ == "__main__":
    sky()
    painted_sky()
    fields()
    face()
    palette()
