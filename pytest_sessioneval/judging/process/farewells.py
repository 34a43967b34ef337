"""Thanks, praise and good-byes: what a user says that wants no answer.

A farewell that is taken for a request costs a session dearly, for nobody
answers it; so what opens like one is one, unless it also asks for something.
English phrases only.
"""

from __future__ import annotations

import re

__all__ = ["asks", "closes"]

_LONGEST = 240
_LONGEST_ANSWER = 4_000

_CONTROL = re.compile(r"###[A-Z][A-Z_-]*###")
_CLAUSES = re.compile(r"[.!;,:\n()…–—]+|\s-+\s")
_SPACES = re.compile(r"\s+")
_APPLAUSE = re.compile("[👍🙏❤😊🙂😀🎉✅👌💯]")

_THANKS = (
    r"(?:many |big |huge |again |ok(?:ay)? |great |oh |yes |perfect |and )*"
    r"(?:thanks|thank (?:you|u)|thankyou|thx|ty|tysm|cheers|ta|much appreciated|appreciated|"
    r"i (?:really |do |truly |very much |so )*appreciate)\b"
)
_GOOD = (
    r"(?:brilliant|great|lovely|perfect|wonderful|fantastic|excellent|amazing|awesome|superb|super|"
    r"ideal|marvell?ous|terrific|splendid|fab(?:ulous)?|good|nice|fine|cool|neat|sweet|kind|"
    r"helpful|patient|thoughtful|generous|fast|quick|easy|right|correct|clear|better|it|all|"
    r"everything|sorted|settled|solved|welcome|relief|star|gem|legend|lifesaver|best|"
    r"what i (?:needed|wanted|was (?:after|looking for|hoping for)))"
)
_PRAISE = (
    r"(?:(?:oh|ah|well|wow|ok(?:ay)?|yes|and|good|great) )*"
    r"(?:(?:that|this|it|you|everything|these|those|they|what)"
    r"(?:'s|'re|'ve| is| are| was| were| has| have| looks?| sounds?| seems?| will be| would be)?"
    r"(?: been)? )?"
    r"(?:(?:so|very|really|absolutely|just|all|too|such|an?|the|my|most|more|much|than|truly|"
    r"quite|pretty|exactly|now|simply|extremely|incredibly) )*"
    rf"{_GOOD}(?: (?:indeed|now|news|stuff|work|job|service|help|idea|of you|then|too|again|"
    r"for (?:me|now|today)|to (?:hear|know)|one|there|with that|{_GOOD}))*"
).replace("{_GOOD}", _GOOD)
_WORKS = (
    r"(?:(?:that|this|it|everything|yes|now|just|all|my problem|my issue)(?:'s| is| has)? )*"
    r"(?:works?|worked|working|helps?|helped|solved|sorted|fixed|did it|did the trick|does it|"
    r"does the trick|makes sense)"
    r"(?: (?:it|now|again|perfectly|great|fine|well|nicely|like a charm|a lot|a treat|for me|then|"
    r"that|(?:the|my) problem))*"
)
_PARTING = (
    r"(?:and |then |well |ok(?:ay)? )*(?:(?:good ?)?bye(?:[ -]?bye)?(?: for now| now| then)?|"
    r"see (?:you|ya)(?: .*)?|(?:talk|speak)(?: to you)? (?:soon|later)|take care(?: .*)?|"
    r"(?:you )?have an? .*|good ?night|(?:the )?same to you|you(?:,)? too(?: .*)?|enjoy .*|"
    r"all the best|best (?:wishes|regards)|(?:kind )?regards|"
    r"(?:i think )?that(?:'s| is| was|'ll be| will be)(?: really| about)? (?:all|it|everything)"
    r"(?: .*)?|(?:i think )?that covers .*|"
    r"(?:(?:i'm|i am|we're|you're) )?(?:now )?all (?:good|set|done|sorted)(?: .*)?|"
    r"nothing (?:else|more)(?: .*)?|no (?:more|further|other) (?:questions?|requests?)(?: .*)?|"
    r"i (?:don't|do not) (?:have|need) (?:any(?:thing)?|more)\b.*|i need nothing .*|"
    r"no(?:pe)?|no (?:worries|problem|thanks|thank you|need|rush)(?: .*)?|ok(?:ay)?|lgtm|alright|"
    r"all right|got it|understood|i understand(?: .*)?|i see|noted|will do|"
    r"i(?:'m| am) (?:so |very |really |quite |much |just )*(?:happy|glad|pleased|grateful|relieved|"
    r"delighted|thankful|impressed|satisfied)(?: .*)?|"
    r"i(?:'ll| will) (?:definitely |just |then |now )*(?:wait|keep|look|watch|let you know|"
    r"be in touch|get back|try|check|handle|do (?:that|so)|think|come back|remember|see|gather|"
    r"work on|manage|contact|call)(?: .*)?|"
    r"you(?:'ve| have) (?:been|made|saved) .*|you (?:made my day|saved .*|rock)|"
    r"(?:oh|ah|wow|phew))"
)
_CLOSING = re.compile(f"(?:{_THANKS}.*|{_PRAISE}|{_WORKS}|{_PARTING})")
_GRATEFUL = re.compile(_THANKS)
_OPENING = re.compile(
    r"\W*(?:(?:oh|ah|wow|well|many|that's|that\ is|you're|you\ are|so|very|really|just|"
    r"absolutely)\ )*"
    r"(?:ok(?:ay)?|great|perfect|thanks|thank\ you|thx|bye|good\ ?bye|got\ it|awesome|alright|"
    r"all\ right|cool|you\ too|no(?:pe)?,?\ that(?:'s|\ is)\ (?:all|it|everything)|"
    r"that(?:'s|\ is)\ (?:all|it|everything|fine)|all\ (?:good|set|done)|nothing\ else|lgtm|nice|"
    r"sounds\ good|i\ understand|no\ (?:worries|thanks|thank\ you)|brilliant|lovely|wonderful|"
    r"excellent|fantastic|amazing|superb|cheers|much\ appreciated)\b",
    re.VERBOSE,
)
_REQUEST = re.compile(
    r"""
      \bplease\b | \b(?:can|could|would|will)\ you\b | \blet's\b | \bgo\ ahead\b | \bmake\ sure\b
    | \bi(?:'d|\ would)\ (?:also\ |still\ |rather\ |really\ |only\ )*(?:like|prefer|need|want)\b
    | \bi\ (?:also\ |still\ |just\ |only\ |really\ )*(?:need|want|wonder|wish|prefer)\b
    | \bi(?:'m|\ am)\ (?:also\ |still\ |just\ )*(?:looking\ for|missing|waiting|wondering)\b
    | \b(?:but|however|except|instead)\b(?!\ no\b)
    | \bmy\ (?:\w+\ ){0,2}(?:name|number|e-?mail|address|id|code|phone|order|account|booking|
        reservation|reference)(?:\ \w+){0,2}\ (?:is|are|was)\b
    | ^(?:(?:ok(?:ay)?|great|perfect|good|cool|nice|fine|alright|yes|and|then|now|so|just|also|next|
        thanks|thank\ you)\ )*
      (?:cancel|book|change|send|add|remove|update|fix|run|make(?!\ sense)|show|tell|give|use|write|
        delete|return|refund|exchange|find|put|create|rename|move|commit|push|merge|explain|
        continue|proceed|do|start|stop|open|test|implement|install|build|apply|replace|order)\b
    """,
    re.VERBOSE,
)
_NO_REQUEST = re.compile(
    r"\b(?:all|everything|what|anything) (?:that )?i (?:really )?(?:need|want|asked)\w*|"
    r"\bi need nothing\b|\bi (?:just )?want(?:ed)? to (?:say|thank)\b|"
    r"\bplease (?:have|enjoy|take care)\b"
)
_ANYTHING_ELSE = re.compile(
    r"\b(?:anything|something|what|how) (?:else|more)\b|\bany (?:other|further|more)\b|"
    r"\b(?:further|more) (?:help|assistance|questions?)\b"
)
_SENTENCES = re.compile(r"(?<=[.!?\n])")
_ASKING = re.compile(r"\?|\bplease\b|\blet me know\b|\btell me\b")


def closes(text: str, *, asked: bool = True) -> bool:
    """Return whether a user's message ends the conversation: it wants no answer.

    It does when it is short, puts no question, asks for nothing, and either opens
    with thanks or approval, or consists of nothing but thanks, praise and
    good-byes. ``asked`` says whether the agent had asked for something: where it
    had not, thanks anywhere do ("She will be over the moon. Thank you!").
    """
    if _CONTROL.search(text):
        return True
    if len(text) > _LONGEST or "?" in text:
        return False
    plain = _SPACES.sub(" ", text.replace("’", "'")).strip().lower()
    clauses = [found for part in _CLAUSES.split(plain) if (found := part.strip(" '\"*_"))]
    spoken = [clause for clause in clauses if any(map(str.isalnum, clause))]
    if not spoken:
        return _APPLAUSE.search(plain) is not None
    if any(_REQUEST.search(_NO_REQUEST.sub("", clause)) for clause in spoken):
        return False
    if _OPENING.match(plain) or all(_CLOSING.fullmatch(clause) for clause in spoken):
        return True
    return not asked and any(_GRATEFUL.match(clause) for clause in spoken)


def asks(text: str) -> bool:
    """Return whether an agent's message asks for something; "Anything else?" asks for nothing."""
    plain = text[-_LONGEST_ANSWER:].replace("’", "'").lower()
    return any(
        _ASKING.search(sentence) and not _ANYTHING_ELSE.search(sentence)
        for sentence in _SENTENCES.split(plain)
    )
