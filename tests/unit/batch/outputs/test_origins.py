from pixmill.batch.outputs.origins import UNKNOWN, by_difference, difference

NOW = "pixmill 2, libvips 8.18, pillow 13"


def test_only_what_differs_is_named():
    assert difference("pixmill 2, libvips 8.17, pillow 13", NOW) == "libvips 8.17"
    assert difference("pixmill 1, libvips 8.17, pillow 13", NOW) == "revision 1 of pixmill's processing, libvips 8.17"
    assert difference("pixmill 2, libvips 8.18", NOW) == "no pillow"
    assert difference("pixmill 1, libvips 8.18, pillow 13", NOW) == "revision 1 of pixmill's processing"
    assert difference("pixmill 2, libvips 8.18, pillow 13, jxl 1", NOW) == "jxl 1"
    assert difference("", NOW) == UNKNOWN


def test_images_are_counted_by_what_differs():
    toolsets = {0: "", 1: NOW, 2: "pixmill 2, libvips 8.17, pillow 13"}
    assert by_difference({0: 5, 1: 7, 2: 9, 3: 1}, toolsets, NOW) == {"libvips 8.17": 9, UNKNOWN: 6}
