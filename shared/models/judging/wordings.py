r"""How models decline, by language: who speaks, what declines, and what is said without anybody speaking.

A clause declines where the model speaks of itself (`I`, `my guidelines`) and says no (`cannot`, `prohibited`), or where
the request is spoken of and turned down (`this request cannot be fulfilled`). A list of whole phrases would be wrong:
of wordings that nobody had thought of, one in four slipped through it.

All of it is looked for in one clause in lower case, with plain apostrophes and single blanks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """How a language says it."""

    speaker: tuple[str, ...]
    """Words by which the model speaks of itself."""
    negation: tuple[str, ...]
    """Words by which it says no."""
    finding: tuple[str, ...]
    """Verbs of a search: "I could not find a due date" is an answer."""
    impersonal: tuple[str, ...]
    """Clauses that decline without a speaker."""


VOICES: Mapping[str, Voice] = {
    "english": Voice(
        speaker=("i|i'm|im|i've|i'd|i'll|me|my|myself",),
        negation=(
            r"not|\w+n't|cannot|no|nothing|unable|(?:ca|wo|do|ai|is|are|was|should|could|would)nt|refus\w+",
            r"declin\w+|prohibit\w*|forbid\w*|avoid\w*|prevent\w*|turn (?:this|that|it|your request) down",
            r"pass on|block\w*|without|against|violat\w+|contrary|beyond|outside|lack\w*|withh[eo]ld\w*",
            r"omit\w*|refrain\w*|abstain\w*|stop|hesitate|exceeds?|skip\w*|blank|empty|redact\w*",
            "den(?:y|ied)|instead of me|concerns?",
        ),
        finding=("find|found|locate|see|identify|determine|detect|spot|tell from|sure|certain",),
        impersonal=(
            r"(?:this|that|the|your|such(?: a)?|requested) (?:\w+ )?(?:request|information|content|task"
            r"|question|details|data|assistance|extraction|summary|output)\b.* (?:cannot|can't|can not|could"
            r" not|won't|will not|may not|must not) be \w+",
            r"(?:(?:this|that|the|your) )?(?:\w+ )?(?:request|processing|extraction|access|content|output"
            "|response|answer|information) (?:(?:has|have) been |was |is |had to be |were )?(?:declined"
            r"|blocked|refused|rejected|denied|filtered|redacted|withheld|suppressed|removed)\b.*",
            r"(?:refused|declined|redacted|withheld|blocked|filtered|denied)(?: (?:for|by|due to|because of)\b.*)?",
            r".*\bfor (?:safety|privacy|policy|legal|security|ethical|compliance) reasons",
            r".*\bblocked by (?:\w+ )?(?:content |safety )?(?:filters?|polic(?:y|ies))",
            "(?:cannot|can't|cant|unable to|not able to) (?:comply|assist|help|process|fulfil|complete"
            r"|answer|provide|proceed)\w*\b.*",
            r".*\b(?:violat\w+|against|contrary to|conflicts? with|breach\w*) (?:our|openai's|anthropic's"
            r"|the provider's|usage|content|safety)\b.*",
            r"(?:openai|anthropic|google|mistral)(?:'s)?\b.*\bpolic(?:y|ies)\b.*",
            r".*\b(?:our|the) (?:content|usage|safety|use case) polic(?:y|ies)\b.* (?:not|forbids?|prohibits?)\b.*",
            r".*\b(?:as an ai|as a (?:large )?language model)\b.*",
            "(?:the|this) (?:assistant|model|ai) (?:cannot|can't|is unable to|is not able to|will not"
            r"|refuses to)\b.*\brequest",
            r"(?:the|this) (?:language )?model (?:has )?(?:declined|refused)\b.*",
            r"(?:(?:it|that|this|extracting \w+|doing so) )?(?:is|would|be)(?: be|n't be| not be| not)?"
            r" (?:in)?(?:appropriate|right|ethical|possible)(?: for me\b.*)?",
            r"it is (?:illegal|unethical)\b.*",
            "no can do",
            "sorry no",
            r"we(?:'re| are)? (?:cannot|can't|unable to|not able to) (?:help|assist|comply)\w*(?: with)?"
            " (?:this|that|your) request",
        ),
    ),
    "german": Voice(
        speaker=("ich|mir|mich|mein(?:e[nrsm]?)?",),
        negation=(
            "nicht|nichts|kein(?:e[nmrs]?)?|ab(?:zu)?lehnen|abgelehnt|lehne|zurück(?:zu)?weisen",
            r"zurück(?:zu)?halten|zurück|verweiger\w*|weigere|untersag\w*|verbiet\w*|unterlasse\w*",
            r"verstößt|verstoßen|verzichte|sehe\b.*\bab|außerstande|überschreitet|übersteigt|außerhalb",
            "enthalte",
        ),
        finding=("finden|gefunden|erkennen|ersehen|entnehmen|feststellen|ermitteln|sicher",),
        impersonal=(
            r"(?:(?:die|diese|ihre) )?(?:\w+ )?(?:anfrage|bitte|verarbeitung|auswertung|aufgabe|antwort"
            r"|ausgabe)\b.*\b(?:nicht|abgelehnt|verweigert|blockiert|gesperrt|zurückgehalten)\b.*",
            "das (?:geht|ist) (?:leider )?nicht(?: möglich)?",
            "(?:abgelehnt|verweigert)",
            r".*\baus (?:\w+s)?gründen(?: des datenschutzes)?\b.*\b(?:nicht|abgelehnt|keine?)\b.*",
            r".*\bverst(?:ößt|oßen) gegen (?:die |unsere )?(?:\w*richtlinien|\w*regeln)",
            r".*\bals (?:ki|ki-\w+|sprachmodell|künstliche intelligenz)\b.*",
        ),
    ),
    "french": Voice(
        speaker=(r"je|j'\w+|me|m'\w+|mes|mon|ma|moi",),
        negation=(
            r"ne|n'\w+|pas|refuse\w*|décline\w*|\S*interdi\w+|impossible|rien|\S*abstien\w*|dépasse\w*",
            r"excède\w*|tenir là|hors|sans",
        ),
        finding=(r"trouv\w+|identifi\w+|déce\w+|localis\w+|repér\w+|vois",),
        impersonal=(
            r"(?:(?:cette|votre|la) )?(?:demande|requête|question|tâche|réponse)\b.*\b(?:ne|n'\w+|refusée"
            r"|bloquée|rejetée)\b.*",
            "(?:refusée?|rejetée?)",
            r".*\bpour des raisons de (?:sécurité|confidentialité)\b.*",
            r".*\ben tant qu(?:e modèle|'ia|'assistant|'intelligence)\b.*",
            r".*\b(?:à l'encontre de|contraire à) (?:mes|nos)\b.*",
        ),
    ),
    "spanish": Voice(
        speaker=("yo|me|mi|mis|soy|puedo|podré|voy|debo|quiero|deseo|estoy|tengo|prefiero|lamento|conmigo",),
        negation=(
            r"no|niego|rechaz\w+|declin\w+|nunca|tampoco|prohib\w+|impid\w+|contra|abst\w+|exced\w+",
            "en blanco|fuera",
        ),
        finding=(r"encontr\w+|encuentr\w+|hall\w+|identific\w+|localiz\w+|veo",),
        impersonal=(
            r"(?:(?:esta|esa|su|tu|la) )?(?:solicitud|petición|pregunta|tarea|respuesta)\b.*\b(?:no"
            r"|rechazada|bloqueada|denegada)\b.*",
            "(?:rechazad[ao]|denegad[ao])",
            r".*\bpor (?:motivos|razones) de (?:seguridad|privacidad)\b.*",
            r".*\bcomo (?:ia|modelo de lenguaje|inteligencia artificial)\b.*",
        ),
    ),
    "italian": Voice(
        speaker=("io|mi|mio|mie|posso|potrò|sono|riesco|devo|preferisco",),
        negation=(r"non|rifiut\w+|declin\w+|viet\w+|asten\w+",),
        finding=(r"trov\w+|individu\w+|vedo",),
        impersonal=(
            r"(?:(?:questa|la tua|la sua|la) )?richiesta\b.*\b(?:non|rifiutata|respinta|bloccata)\b.*",
            r".*\bcome (?:ia|modello linguistico)\b.*",
        ),
    ),
    "portuguese": Voice(
        speaker=("eu|me|meu|minhas?|posso|consigo|poderei|sou|estou|devo|prefiro",),
        negation=(r"não|recus\w+|declin\w+|proib\w+|absten\w+",),
        finding=(r"encontr\w+|ach\w+|identific\w+|vejo",),
        impersonal=(
            r"(?:(?:este|esse|seu|o) )?pedido\b.*\b(?:não|recusado|rejeitado|bloqueado)\b.*",
            r".*\bcomo (?:ia|modelo de linguagem)\b.*",
        ),
    ),
    "dutch": Voice(
        speaker=("ik|mij|mijn",),
        negation=(r"niet|geen|weiger\w*|afwijzen|verbied\w*|onthoud|buiten",),
        finding=("vinden|gevonden|zie|vaststellen",),
        impersonal=(
            r"(?:(?:dit|uw|je|het) )?verzoek\b.*\b(?:niet|geweigerd|afgewezen)\b.*",
            r".*\bals (?:taalmodel|ai)\b.*",
        ),
    ),
}
"""By language. Each text holds alternatives of a pattern."""

JOINING = (
    r"(?:(?:but|and|so|however|therefore|unfortunately|sadly|regrettably|sorry|aber|und|leider|daher|mais|et|donc|désolé"
    r"|malheureusement|pero|y|lamentablemente|ma|purtroppo|mas|infelizmente|maar|helaas) )*"
)
"""What a clause may begin with, and says nothing of its own."""

COMPILED = tuple(
    (
        re.compile(rf"(?:^|\s)(?:{'|'.join(voice.speaker)})(?=\s|$)"),
        re.compile(rf"(?:^|\s)(?:{'|'.join(voice.negation)})(?=\s|$)"),
        re.compile(rf"\b(?:{'|'.join(voice.finding)})\b"),
        re.compile(rf"{JOINING}(?:{'|'.join(voice.impersonal)})"),
    )
    for voice in VOICES.values()
)


def declining(clause: str) -> bool:
    """The clause declines, whoever says it."""
    return any(
        impersonal.fullmatch(clause) is not None
        or (
            speaker.search(clause) is not None
            and negation.search(clause) is not None
            and finding.search(clause) is None
        )
        for speaker, negation, finding, impersonal in COMPILED
    )


ABOUT_ITSELF = frozenset(
    {
        "error", "note", "status", "reason", "message", "refused", "refusal", "declined", "blocked", "warning",
        "failed", "safety", "content_policy", "policy", "unavailable", "fehler", "erreur", "fout", "errore", "erro",
    }
)  # fmt: skip
"""Words beside a refusal that say nothing about a document."""

COMMON = frozenset(
    {
        "answer", "assist", "cannot", "comply", "content", "document", "from", "help", "information", "process",
        "provide", "question", "request", "that", "them", "this", "with", "your",
    }
)  # fmt: skip
"""Words that a refusal needs whatever the document is about."""
