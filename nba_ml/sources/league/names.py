"""Invented names: every player gets another pair of a first and a last name."""

import numpy as np

from nba_ml.sources.league.rng import generator

_FIRST = (
    "Aaron Abel Adrian Alden Alonzo Amari Andre Anton Arlo Arvid Asher Austin Baptiste Barrett Beckett Blaise Bodhi Brandt Bryce Caleb Calvin "
    "Carson Cedric Cassius Clay Cole Corbin Cyrus Dalton Damir Dante Darnell Davor Deshawn Devin Dmitri Dominic Donte Dorian Earl Eli Elmer "
    "Emeka Enzo Ezra Felix Finn Florian Garrett Gideon Goran Grady Hakeem Harlan Hugo Idris Imani Isaac Ivan Jabari Jalen Jamal Jarvis Javon "
    "Joaquin Jonas Jorah Julius Kaden Kareem Kellan Kendrick Khalil Kofi Kristof Lamar Lars Leander Lennox Leon Lionel Luca Lucien Luther "
    "Maceo Malik Marco Marek Marius Maurice Micah Milan Mirko Moses Nico Nolan Obi Odell Olu Omar Orlando Oscar Otis Pascal Pedro Percy "
    "Quentin Quincy Rafael Ramon Reggie Remy Rico Roland Roman Rufus Samir Sekou Silas Simon Soren Stellan Tariq Terrence Thaddeus Theo "
    "Tobias Tomas Trent Tyrell Ulises Umar Vance Vasily Viktor Wade Walter Wendell Xavier Yannick Yusuf Zane Zeke Zoran"
)

_LAST = (
    "Abara Achterberg Adeyemi Alcott Ambrose Amundsen Ansah Arkwright Ashdown Bakare Balthazar Banfield Barlowe Bassett Beaumont Belgrave "
    "Benavides Birch Blackwood Boateng Bohannon Bonheur Bramwell Briggs Brisco Cabrera Calloway Carmody Castellan Chidozie Colquitt Cordero "
    "Crestwell Culpepper Dabrowski Dalrymple Davenport Delacroix Demir Desrosiers Diallo Dimitrov Donnelly Dragic Dufresne Eastwick Ebersole "
    "Egwu Ellery Emerson Escobedo Fairbanks Farrow Fenwick Ferrante Fitzroy Fontaine Forde Galloway Garnier Gatewood Gilchrist Goodwyn "
    "Grantham Greer Guerrero Gunnarsson Hadley Halvorsen Hargrove Hathaway Havlik Hawthorne Holloway Ibarra Igwe Ingram Ivanov Jakobsen "
    "Jankovic Jefferies Kaminski Keita Kessler Kilbride Kingsbury Kovacs Lachance Langston Larkin Lefebvre Lindqvist Lockhart Lombardi "
    "Mabry Macaulay Madaki Marchetti Marlow Mbeki McAllister Meriwether Milosevic Montague Moreau Nakamura Ndiaye Nightingale Novak Obaseki "
    "Okafor Olander Onuoha Osei Pacheco Palmgren Pemberton Petrov Pickering Prescott Quarles Radcliffe Ravenel Redmond Renfro Rochester "
    "Rosales Rutledge Sandoval Sarpong Saunders Savic Sinclair Solberg Sowande Stanhope Sterling Stojanov Sutherland Tavares Thackeray "
    "Thibault Tillman Toure Traore Underhill Vandermeer Varga Vasquez Villanueva Wainwright Warrick Weatherby Whitlock Winslow Woodruff "
    "Yeboah Zielinski Zubac"
)

FIRST_ID = 900001


def names(seed: int, numbers: np.ndarray) -> list[str]:
    """Return the names of players by their running number (0, 1, …); no two numbers share a name."""
    first, last = _FIRST.split(), _LAST.split()
    order = generator(seed, "names").permutation(len(first) * len(last))
    return [f"{first[pair // len(last)]} {last[pair % len(last)]}" for pair in order[numbers]]
