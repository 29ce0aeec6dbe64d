"""Text to tree, with limits, and with errors that name the column and what was expected."""

from __future__ import annotations

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from isthmus.errors import ConfigurationError

#: Longest formula in characters, and deepest nesting of its parts.
MAX_LENGTH = 2000
MAX_DEPTH = 40

GRAMMAR = r"""
?start: disjunction
?disjunction: conjunction (OR conjunction)*
?conjunction: negation (AND negation)*
?negation: NOT negation -> negation
         | comparison
?comparison: joined (COMPARE joined)?
?joined: sum (JOIN sum)*
?sum: product (ADD product)*
?product: signed (MULTIPLY signed)*
?signed: "-" signed -> negative
       | atom
?atom: NUMBER -> number
     | STRING -> text
     | TRUE -> true
     | FALSE -> false
     | NULL -> null
     | (NAME | AND | OR) "(" [disjunction ("," disjunction)*] ")" -> call
     | NAME -> field
     | BRACKETED -> field
     | "(" disjunction ")"

OR.2: /or(?![\w.])/i
AND.2: /and(?![\w.])/i
NOT.2: /not(?![\w.])/i
TRUE.2: /true(?![\w.])/i
FALSE.2: /false(?![\w.])/i
NULL.2: /null(?![\w.])/i
COMPARE: "<=" | ">=" | "<>" | "=" | "<" | ">"
JOIN: "&"
ADD: "+" | /-/
MULTIPLY: "*" | "/"
NUMBER: /[0-9]{1,30}(\.[0-9]{1,30})?(?![\w.])/
STRING: /"(?:[^"]|"")*"/
NAME: /[^\W\d]\w*(\.[^\W\d]\w*)*/
BRACKETED: /\[[^\[\]\n]+\]/
WS: /[ \t\r\n]+/
%ignore WS
"""

_PARSER = Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)

_HABITS = (
    ("==", "Equality is written =."),
    ("!=", "Inequality is written <>."),
    ("&&", "Write and."),
    ("||", "Write or."),
    ("'", 'Texts stand in double quotes: "x".'),
    (";", "Arguments are separated by commas."),
    ("[", "A field name in brackets ends with ]."),
    ('"', "The text has no closing quote."),
    ("%", "There is no percent sign: divide by 100."),
)
_NEEDS = {
    "RPAR": "a closing parenthesis",
    "COMMA": "a comma",
    "NAME": "a field, function or value",
    "NUMBER": "a field, function or value",
    "ADD": "an operator",
    "$END": "the end of the formula",
}


class FormulaProblem(ConfigurationError):
    """A formula that cannot be compiled. `column` counts from 1 within the formula's text."""

    code = "formula"

    def __init__(self, message: str, *, column: int, suggestion: str = "") -> None:
        super().__init__(f"column {column}: {message}", hint=suggestion)
        self.column = column
        self.suggestion = suggestion


def parse(text: str) -> Tree[Token] | Token:
    """The tree of a formula. Raises FormulaProblem."""
    if len(text) > MAX_LENGTH:
        raise FormulaProblem(
            f"the formula has {len(text)} characters, at most {MAX_LENGTH} are allowed",
            column=MAX_LENGTH + 1,
            suggestion="Move constants into a lookup table.",
        )
    if not text.strip():
        raise FormulaProblem("the formula is empty", column=1)
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as error:
        raise _explained(text, error) from None
    _limit_depth(tree)
    return tree


def _explained(text: str, error: UnexpectedInput) -> FormulaProblem:
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        column, found = len(text) + 1, "the end"
    else:
        position = error.pos_in_stream or 0
        column, found = position + 1, _found(text, position, error)
    wanted = _wanted(error)
    rest = text[column - 1 :].lstrip()
    before = text[max(column - 2, 0) : column + 1]
    suggestion = next((hint for sign, hint in _HABITS if rest.startswith(sign) or sign in before), "")
    return FormulaProblem(f"{found} stands where {wanted} is expected", column=column, suggestion=suggestion)


def _found(text: str, position: int, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken):
        return f'"{error.token}"'
    return f'"{text[position]}"'


def _wanted(error: UnexpectedInput) -> str:
    accepted: set[str] = set()
    if isinstance(error, UnexpectedToken):
        accepted = set(error.accepts or error.expected)
    elif isinstance(error, UnexpectedCharacters):
        accepted = set(error.allowed or ())
    words = dict.fromkeys(word for name, word in _NEEDS.items() if name in accepted)
    return " or ".join(words) or "something else"


def _limit_depth(tree: Tree[Token] | Token) -> None:
    """Walks without recursion: the limit is what makes recursion safe afterwards."""
    stack: list[tuple[Tree[Token] | Token, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise FormulaProblem(
                f"the formula nests deeper than {MAX_DEPTH} levels",
                column=column_of(node),
                suggestion="Split it, or use a lookup table.",
            )
        if isinstance(node, Tree):
            stack.extend((child, depth + 1) for child in node.children)


def column_of(node: Tree[Token] | Token) -> int:
    """The column (from 1) of the first token below `node`; line breaks count as characters."""
    stack: list[Tree[Token] | Token] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, Token):
            return (current.start_pos or 0) + 1
        stack.extend(reversed(current.children))
    return 1
