"""Answers about the parts of a document, put together."""

from services.analyze.answers import Answer, GenericFields, NamedValue, ReportFields, Summarized
from services.analyze.merging import merged_answers, merged_fields, merged_summaries


def report(confidence: float, **found: str) -> ReportFields:
    return ReportFields.model_validate(
        {"title": "", "author": "", "date": "", "summary_line": "", **found, "confidence": confidence}
    )


def generic(confidence: float, **found: str) -> GenericFields:
    entries = [NamedValue(name=name, value=value) for name, value in found.items()]
    return GenericFields(fields=entries, confidence=confidence)


def test_a_field_is_as_the_first_part_has_it_and_later_parts_fill_gaps() -> None:
    merged = merged_fields([report(0.9, title="A"), report(0.8, title="B", author="C"), report(0.2)])
    assert merged.found() == {"title": "A", "author": "C"}
    assert merged.confidence == 0.8


def test_the_doubt_of_a_part_of_which_nothing_is_taken_does_not_count() -> None:
    assert merged_fields([report(0.9, title="A"), report(0.4, title="B")]).confidence == 0.9


def test_where_no_part_has_a_field_the_lowest_doubt_stands() -> None:
    assert merged_fields([report(0.4), report(0.3)]) == report(0.3)


def test_fields_of_an_unknown_type_are_listed_once_and_only_so_many() -> None:
    merged = merged_fields([generic(0.9, a="1", b=""), generic(0.8, a="2", c="3")])
    assert isinstance(merged, GenericFields)
    assert merged.found() == {"a": "1", "c": "3"}
    many = merged_fields(
        [generic(1, **{f"f{n}": "x" for n in range(90)}), generic(1, **{f"g{n}": "x" for n in range(90)})]
    )
    assert isinstance(many, GenericFields)
    assert len(many.fields) == 100


def test_summaries_follow_each_other() -> None:
    parts = [Summarized(summary="A.", confidence=0.9), Summarized(summary="", confidence=0.1)]
    assert merged_summaries([*parts, Summarized(summary="B.", confidence=0.8)]) == Summarized(
        summary="A. B.", confidence=0.8
    )


def test_the_part_that_is_surest_of_an_answer_gives_it() -> None:
    parts = [
        Answer(answer="", confidence=0.95),
        Answer(answer="Bob", confidence=0.6),
        Answer(answer="Al", confidence=0.5),
    ]
    assert merged_answers(parts).answer == "Bob"
    assert merged_answers(parts[:1]).answer == ""
