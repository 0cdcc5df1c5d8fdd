"""Prompts as versioned files: `<task>@<version>.md`, instructions above the line `---`, the question below it.

A change of wording is a new file under the next version, for every recorded call names the version it was asked with.
"""

from functools import cache
from pathlib import Path
from string import Template

from shared.core.context import Prompt
from shared.core.errors import Failed
from shared.core.failures import Failure
from shared.pipelines.document_types import Task
from shared.pipelines.material import delimited, one_line

FOLDER = Path(__file__).parent

VERSIONS = {Task.EXTRACTION: 1, Task.SUMMARIZATION: 1, Task.QA: 1}
"""Task to the version in use."""


@cache
def wording(task: Task, instead: str = "") -> tuple[str, str, Template]:
    """Name, instructions and question of the version in use, or of another one of this task that is asked for.

    Raises Failed(invalid_event) where there is no such version.
    """
    name = instead if instead.partition("@")[0] == task else f"{task}@{VERSIONS[task]}"
    known = [path.stem for path in FOLDER.glob("*.md")]
    if name not in known:
        raise Failed(Failure.INVALID_EVENT, f"there is no prompt {name!r}: there are {', '.join(sorted(known))}")
    system, _, user = (FOLDER / f"{name}.md").read_text("utf-8").partition("\n---\n")
    return name, system.strip(), Template(user.strip())


def prompt_for(task: Task, document_type: str, text: str, question: str = "", instead: str = "") -> Prompt:
    """The prompt of a task on a document. What the sender wrote fills gaps of the file and is never read as one.

    `instead` is what `Context.prompt` says: a prompt of another task leaves this one as it is.
    """
    name, system, user = wording(task, instead)
    filled = user.safe_substitute(
        document_type=one_line(document_type), question=one_line(question), document=delimited(text)
    )
    return Prompt(name=name, system=system, user=filled, task=task, document_type=document_type)
