"""How a judge of an everyday job is registered, and what several judges compare with."""

ALL = {"IMG_0001.jpg", "2026/IMG_0002.jpg", "drafts/IMG_0003.jpg", "logo.jpg"}
FIRST = "IMG_0001.jpg"


class Judges(dict):
    """The judges of some jobs by the titles of the jobs, in the order of the page; called with a title, it registers one."""

    def __call__(self, title):
        def register(judge):
            assert title not in self, title
            self[title] = judge
            return judge

        return register


def difference(one, other):
    """Return the mean difference of two pictures of the same size, from 0 to 255."""
    small = [list(picture.convert("RGB").resize((40, 40)).tobytes()) for picture in (one, other)]
    return sum(abs(a - b) for a, b in zip(*small, strict=True)) / len(small[0])
