"""From a code or a word to the concepts it names. Codes decide; words are only asked where no code is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum

from cds.codes import SYSTEMS, normal_form, system_uri
from cds.concepts import Code, TextPatterns, ValueSet
from cds.plaintext import LONGEST, plain


Match = tuple[str, Code]
"""A concept and the code entry that named it."""

_SHORTEST_PREFIX = 3


class Said(IntEnum):
    """How a text speaks of what it names: "no X" and "mother had X", "suspected X", "X". The surer, the greater."""

    DENIED = 0
    DOUBTED = 1
    STATED = 2


class Terms:
    """The value sets of one kind, turned round for reading: code to concepts, words to concepts."""

    def __init__(self, value_sets: Mapping[str, ValueSet]) -> None:
        """Index the value sets by every URI their systems are sent under."""
        self._by_code: dict[tuple[str, str], tuple[Match, ...]] = {}
        self._by_prefix: dict[str, dict[str, tuple[Match, ...]]] = {}
        self._without = {name: tuple(map(plain, value_set.text.without)) for name, value_set in value_sets.items()}
        self._phrases = frozenset(name for name, value_set in value_sets.items() if value_set.kind in _ONE_PHRASE)
        self._passing = frozenset(name for name, value_set in value_sets.items() if value_set.passing)
        by_word: dict[str, tuple[str, ...]] = {}
        for name, value_set in value_sets.items():
            for code in value_set.codes:
                self._add_code(name, code)
            for word in _words(value_set.text):
                by_word[word] = (*by_word.get(word, ()), name)
            for word in map(plain, value_set.text.except_in):
                by_word.setdefault(word, ())  # read in place of the word inside it, and names nothing
        self._by_word = by_word
        self._heads = frozenset(map(_head, by_word))
        self._pattern = _pattern(by_word)

    def _add_code(self, concept: str, code: Code) -> None:
        system = SYSTEMS[code.system]
        for uri in system.uris:
            if system.hierarchical:
                table = self._by_prefix.setdefault(uri, {})
                (prefix,) = normal_form(code.code)
                table[prefix] = (*table.get(prefix, ()), (concept, code))
            else:
                self._by_code[uri, code.code] = (*self._by_code.get((uri, code.code), ()), (concept, code))

    def of_code(self, uri: str, code: str) -> tuple[Match, ...]:
        """The concepts a coding names; for hierarchical systems those of every prefix, the longest first."""
        found = self._by_code.get((uri, code))
        if found is not None:
            return found
        table = self._by_prefix.get(uri)
        if table is None:
            spelt = system_uri(uri)
            return () if spelt is None or spelt == uri else self.of_code(spelt, code)
        matches: dict[str, Code] = {}
        for part in normal_form(code):
            for length in range(len(part), _SHORTEST_PREFIX - 1, -1):
                for concept, entry in table.get(part[:length], ()):
                    matches.setdefault(concept, entry)
        return tuple(matches.items())

    def knows_system(self, uri: str) -> bool:
        """Is this a system our value sets are written in? Then a code we do not list means something else."""
        return system_uri(uri) is not None

    def of_text(self, text: str) -> dict[str, Said]:
        """The concepts whose words occur in a text, unless one of their excluding words stands beside them, and how it is said.

        "family history of osteoporosis", "rule out pernicious anaemia" and "萎缩性胃炎待查" name a concept and do not state it.
        """
        words = plain(text[:LONGEST])  # what a longer one says first still counts
        if self._heads.isdisjoint(_HEAD.findall(words)):
            return {}
        found: dict[str, Said] = {}
        for match in self._pattern.finditer(words):
            before, rest = _CLAUSE_END.split(words[: match.start()])[-1], words[match.end() :]
            after = _CLAUSE_END.split(rest, 1)[0]
            for concept in self._by_word[match[0]]:
                phrase = concept in self._phrases
                beside = words if phrase else before + match[0] + after
                if not any(word in beside for word in self._without[concept]):
                    passing = concept in self._passing
                    over = passing and _past(before, after)
                    how = _said(before, rest, phrase, own=passing)
                    if how is Said.STATED and not phrase and _in_denied_list(words[: match.start()], after):
                        how = Said.DENIED
                    found[concept] = max(found.get(concept, Said.DENIED), Said.DENIED if over else how)
        return found


_HEAD = re.compile(r"[a-z0-9]+|[^a-z0-9 ]")


def _head(word: str) -> str:
    """What a text must hold for the word to occur in it: most texts are told apart by this, long before the pattern is asked."""
    heads: list[str] = _HEAD.findall(word)
    return next((head for head in heads if not head.isascii()), heads[0])


_ONE_PHRASE = ("measurement", "finding", "answer")
"""Of these a text is one phrase, commas or not: "Potassium, urine" is no potassium of the blood."""

_CLAUSE_END = re.compile(r"[.,;，。；、]")
_SENTENCE_END = re.compile(r"[.;。；]")
_DENIED_LIST = re.compile(
    r"(?<![a-z])(?:denies|denied|negative for|no|without) [^,，、]*[,，、].*$|"
    r"否认.*[,，、].*$|无(?!力|诱因|明显诱因)[^,，、]*、[^,，]*$"
)
"""A denial and the list it opens: "denies numbness, burning feet, ", "无高血压、糖尿病、"."""
_LIST_ENDS = re.compile(
    r"(?<![a-z])(?:but|with|has|have|had|is|was|are|positive|since|after|now|except|presents?|reports?|known|due|on)(?![a-z])|"
    r"有|但|确诊|患|伴|因|诊断|术|为|现"
)
"""What begins to say something else."""
_HAPPENED = re.compile(r".*(?:(?<![a-z])(?:since|diagnosed|confirmed)(?![a-z])|[0-9]{4}|确诊|年)")
_SETTING = re.compile(r"(?<![a-z])(?:but|in|during|complicating|affecting)(?![a-z])|但|无明显诱因")
"""What stands before one of these does not speak of what stands behind: "no change in neuropathy" leaves the neuropathy."""

_RELATIVE = (
    r"(?:(?:grand)?(?:mother|father|parent)|sister|brother|sibling|daughter|son|aunt|uncle|cousin)(?:'?s)?(?![a-z])|"
    r"母亲|父亲|父母|祖母|祖父|外婆|外公|奶奶|爷爷|兄弟|姐妹|哥哥|弟弟|姐姐|妹妹|女儿|儿子|[父母](?=患)"
)
_FAMILY = r"family (?:history|hx|h/o)|fhx?|maternal|paternal"
_DOUBT_BEFORE = re.compile(
    r"(?<![a-z])(?:can ?not (?:be )?(?:exclude|rule out)|not (?:yet )?(?:excluded|ruled out)|rule[ -]out|r/o|exclude|query|"
    r"consider(?:ing)?|suspect(?:ed)?|suspicion|possibl[ey]|probabl[ey]|likely|questionable|planned|planning|scheduled|awaiting|"
    r"(?:candidate|consultation|evaluat(?:ion|e|ed)|assessment|referral|work-?up|screen(?:ed)?|test(?:ed)?) for)(?![a-z])|\? ?$|"
    r"(?:不能?|无法|未能?|尚未|难以)(?:完全)?(?:排除|除外)|待排除|待排|疑似|可疑|怀疑|疑诊|拟行|计划|(?<!不)可能"
)
_EVIDENCE = (
    r"(?: (?:a|any|the|current|known|clear|definite)|"
    r" (?:evidence|history|signs?|symptoms?|features?|indication|allerg(?:y|ies)|intolerance|reaction)(?: (?:of|for|to))?)*"
)
_ANOTHER = r"(?: (?!(?:since|after|following|with|in|on|and|due|to|from|by|of|for|despite|when|while|until) )[a-z/-]+){0,3}"
_DENIED_BEFORE = re.compile(
    rf"(?<![a-z])(?:no|not|none|without){_EVIDENCE}{_ANOTHER} *$|"
    r"(?<![a-z])(?:denies|denied|negative for|unlikely|ruled out|excluded|declined|refused|screening|risk of|risk for|prevention|"
    r"prophylaxis)(?![a-z])|"
    r"(?<![a-z])(?:ex|former(?:ly)?|previously)[ -]$|"
    r"(?:无(?:明显|任何|明确|典型|相关|既往)?(?:手足|手脚|四肢|肢体|双手|双足|[双上下]+肢)?|非)$|无(?!力|诱因)[一-鿿]{1,8}[及和或与]$|"
    r"排除|除外|不可能|不考虑|否认|拒绝|未见|未发现|未诉|未行|不伴|预防|筛查"
)
_OF_OTHERS_BEFORE = re.compile(rf"(?<![a-z])(?:{_FAMILY}|{_RELATIVE})(?![a-z])|家族史|家族中")
_DOUBT_AFTER = re.compile(
    r" ?[-:(,;，；]? ?(?:rule[ -]out|r/o) ?(?:$|[.,;)])|"
    r" ?[-:(]? ?(?:\?|(?:(?:is|was|has|have|been|yet|to|be|very) )*"
    r"(?:suspected|possible|probable|likely|queried|unconfirmed|not (?:yet )?(?:confirmed|excluded|ruled out)|"
    r"can ?not be (?:excluded|ruled out)|(?<=to be )(?:excluded|ruled out)|"
    r"planned|scheduled|risk|candidate|consult|consultation|evaluation|referral|work-?up)(?![a-z])|"
    r"待[查排诊除]|可能|可疑|疑似|不能排除|不能除外|不除外|高?风险|高危|术?(?:前|咨询|评估))"
)
_DENIED_AFTER = re.compile(
    r" ?[:：=] ?(?:no|none|nil|neg|否|无)(?![a-z一-鿿])|"
    r" ?[-:(]? ?(?:(?:(?:is|was|has|have|been|now|already|very|screen|screening|test|tests|testing) )*"
    r"(?:excluded|ruled out|unlikely|negative|absent|denied|not (?:found|present|seen|detected|done)|prevention|prophylaxis|"
    rf"(?:screen|screening)(?! positive)|{_FAMILY}|in (?:(?:her|his|the) )?(?:family|relatives?|{_RELATIVE}))(?![a-z])|"
    r"(?:已|已经)?(?:家族史|阴性|排除|除外|不可能|筛查|预防))|"
    r" ?[,;，；] ?(?:(?:(?:has been |was |now )?(?:excluded|ruled out|not done)|"
    rf"{_FAMILY}|(?:已|已经)?(?:排除|除外)|家族史) ?(?:$|[.,;，。；)]))"
)
_NAME_GOES_ON = ("症", "病")
"""What may end the name of a disease that was matched without it: "骨质疏松症家族史"."""
_OF_OTHERS_AFTER = re.compile(rf" ?[-(] ?(?:{_RELATIVE})")


def _in_denied_list(before: str, after: str) -> bool:
    """Does it stand further down a list that begins with a denial? Not what is said to have happened."""
    denied = _DENIED_LIST.search(_SENTENCE_END.split(before)[-1])
    return denied is not None and _LIST_ENDS.search(denied[0]) is None and _HAPPENED.match(after) is None


def _said(before: str, rest: str, phrase: bool, own: bool) -> Said:
    """Is what stands between these two texts denied or somebody else's, doubted or not yet done, or stated?

    Doubts are taken out before denials are looked for, as some are worded as one: "cannot exclude", "不能排除". A `phrase` names
    a test or its answer, and what follows in it denies nothing: a B12 screen is a B12. `own`: a mother named beside it is the
    patient herself.
    """
    before, rest = _SETTING.split(before)[-1], rest[1:] if rest[:1] in _NAME_GOES_ON else rest
    certain = _DOUBT_BEFORE.sub(" ", before)
    if _DENIED_BEFORE.search(certain):
        return Said.DENIED
    if not own and (_OF_OTHERS_BEFORE.search(certain) or _OF_OTHERS_AFTER.match(rest)):
        return Said.DENIED
    if _DOUBT_AFTER.match(rest):
        return Said.DOUBTED
    if not phrase and _DENIED_AFTER.match(rest):
        return Said.DENIED
    return Said.DOUBTED if certain != before else Said.STATED


_PAST_BEFORE = re.compile(
    r"(?<![a-z])(?:(?:history of|h/o|hx of)(?!.*\b(?:affecting|complicating|current|currently|now)\b)|(?:previous|prior|past) $)|"
    r"(?:既往|曾)[有患经]*$"
)
_PAST_AFTER = re.compile(r"(?:(?!合并|伴|周|月|剖|术)[一-鿿]){0,8}史")


def _past(before: str, after: str) -> bool:
    """Is it told of the past? "妊娠糖尿病史" is; "妊娠合并剖宫产史" is a pregnancy after a section."""
    return bool(_PAST_BEFORE.search(before) or _PAST_AFTER.match(after))


def _words(patterns: TextPatterns) -> Iterable[str]:
    return dict.fromkeys(map(plain, (*patterns.en, *patterns.zh)))


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Longest words first, so that "non-atrophic gastritis" is read before "atrophic gastritis" can be found inside it.

    Latin words end at word boundaries (aripiprazole is no prazole); Chinese has none.
    """
    ordered = sorted(words, key=len, reverse=True)
    latin = "|".join(re.escape(word) for word in ordered if word.isascii())
    other = "|".join(re.escape(word) for word in ordered if not word.isascii())
    return re.compile("|".join(part for part in (other, latin and rf"(?<![a-z0-9])(?:{latin})(?![a-z0-9])") if part) or r"(?!)")
