"""What must not be told: webhook addresses, tokens, passwords and logins are masked before a text leaves the platform."""

import re

MASK = "********"

_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_WORDS = r"(?:(?:access|api|private|secret)[_-]?key|credential|passwd|password|pwd|secret|signature|token|webhook)"

_PATTERNS = (
    # A private key, as in the file of a service account.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    # Incoming webhooks, wherever they are hosted: the path is the secret.
    (re.compile(r"(?i)(hooks\.slack(?:-gov)?\.com/|/services/|/workflows/|/triggers/)[^\s\"'<>|)]+"), rf"\1{MASK}"),
    (re.compile(r"\bT[A-Z0-9]{3,12}/B[A-Z0-9]{3,12}/[A-Za-z0-9]{4,}"), MASK),
    (_LOGIN, MASK),
    # Tokens that are known by their looks: of Slack, GitHub, Google and AWS, and JSON web tokens.
    (re.compile(r"\bx(?:ox[a-z]|app)-[\w-]{8,}|\bgh[a-z]_\w{16,}|\bya29\.[\w.-]{8,}|\bAIza[\w-]{20,}|\bA(?:KI|SI)A[A-Z0-9]{12,}"), MASK),
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){1,4}"), MASK),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {MASK}"),
    # ?key=value, name=value, name: value and "name": "value".
    (re.compile(r"(?i)([?&](?:key|sig|auth|code)=)[^\s&\"'<>|)]+"), rf"\1{MASK}"),
    (re.compile(rf"""(?i)(?<![A-Za-z])((?:[\w-]*[_.-])?{_WORDS}s?["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&;,)"']+)"""), rf"\1{MASK}"),
)


def without_login(address: str) -> str:
    """Return an address with the login inside it masked."""
    return _LOGIN.sub(MASK, address)


def redact(text: str) -> str:
    """Mask what looks like a secret; the rest of a text stays as it is, and what was masked stays the same when it is masked again."""
    for pattern, mask in _PATTERNS:
        text = pattern.sub(mask, text)
    return text
