"""The rest of a document's way, as the graph has it."""

from shared.core.way import Branch, branches, stages_after
from shared.pipelines.documents import DOCUMENTS


def test_every_branch_is_told_with_its_condition() -> None:
    technical, standard = branches(DOCUMENTS, DOCUMENTS.stage("classify"))
    assert (technical.stages, standard.stages) == (("analyze", "validate", "store"), ("store",))
    assert technical.when
    assert standard.when
    assert branches(DOCUMENTS, DOCUMENTS.stage("store")) == [Branch(())]


def test_the_stages_come_in_the_direction_of_the_flow() -> None:
    assert stages_after(DOCUMENTS, "extract") == ["extract", "classify", "analyze", "validate", "store"]
    assert stages_after(DOCUMENTS, "validate") == ["validate", "store"]
