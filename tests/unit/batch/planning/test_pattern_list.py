from pixmill.batch.config.pattern import Pattern
from pixmill.batch.planning.pattern_list import PatternList


def counted(patterns, paths):
    matcher = PatternList("exclude", tuple(map(Pattern, patterns)))
    result = [matcher.takes(path) for path in paths]
    return result, [(each.pattern, each.images, each.is_used) for each in matcher.counts()]


def test_the_last_pattern_that_matches_decides_and_is_counted():
    paths = [b"a.png", b"b.png", b"keep.png", b"c.jpg"]
    assert counted(["*.png", "!keep.*"], paths) == (
        [True, True, False, False],
        [("*.png", 2, True), ("!keep.*", 1, True)],
    )


def test_a_pattern_that_matches_nothing_differs_from_one_that_another_overrules():
    _, counts = counted(["b*", "*.png", "*.gif"], [b"a.png", b"b.png"])
    assert counts == [("b*", 0, True), ("*.png", 2, True), ("*.gif", 0, False)]


def test_what_lies_in_a_folder_that_matches_is_taken_along_whatever_comes_after():
    paths = [b"raw/keep.jpg", b"raw/deep/a.jpg", b"b.jpg", b"raw.jpg"]
    assert counted(["raw/", "!keep.jpg"], paths)[0] == [True, True, False, False]


def test_counting_can_start_again():
    matcher = PatternList("exclude", (Pattern("*"),))
    assert matcher.takes(b"a/b")
    matcher.reset_counts()
    assert [(each.images, each.is_used) for each in matcher.counts()] == [(0, False)]
    assert matcher.takes(b"a/c")
    assert next(matcher.counts()).images == 1
