"""The thirty teams: tricode, conference, division and the hours at which they host."""

from dataclasses import dataclass

TEAMS = 30
TEAMS_PER_DIVISION = 5


@dataclass(frozen=True)
class Team:
    """One team; `clock` is the hours that its home lies behind New York."""

    code: str
    conference: int
    division: int
    clock: int


_DIVISIONS = (
    (0, "BOS:0 BKN:0 NYK:0 PHI:0 TOR:0"),
    (0, "CHI:1 CLE:0 DET:0 IND:0 MIL:1"),
    (0, "ATL:0 CHA:0 MIA:0 ORL:0 WAS:0"),
    (1, "DEN:2 MIN:1 OKC:1 POR:3 UTA:2"),
    (1, "GSW:3 LAC:3 LAL:3 PHX:2 SAC:3"),
    (1, "DAL:1 HOU:1 MEM:1 NOP:1 SAS:1"),
)

LEAGUE: tuple[Team, ...] = tuple(
    Team(code, conference, division, int(clock))
    for division, (conference, members) in enumerate(_DIVISIONS)
    for code, clock in (member.split(":") for member in members.split())
)

CODES: tuple[str, ...] = tuple(team.code for team in LEAGUE)
