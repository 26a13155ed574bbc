"""How likely it is that two people are one: Splink's model (Fellegi and Sunter), learned from the customer's own data.

Nobody labels anything. How often two strangers agree (u) is counted in random pairs; how often one person's contacts
agree (m) is learned by expectation maximisation among pairs that have a name, an address, a number or a profile in
common: most of those that the silent tier joins are one person, so there is much to learn from. What a small customer
cannot teach keeps a value from experience. The same contacts in any order give the same weights.

All of it happens in memory; nothing is written to disk or fetched from anywhere.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    import pyarrow
    from splink import Linker

Json = dict[str, Any]


class Level(NamedTuple):
    """One way in which two people compare: SQL that says when, words, m and u from experience, whether m is learned."""

    words: str
    when: str
    m: float
    u: float
    learns: bool = True


def _any(column: str) -> str:
    return f"list_has_any({column}_l, {column}_r)"


def _both(column: str) -> str:
    return f"len({column}_l) > 0 AND len({column}_r) > 0"


def _unknown(*columns: str) -> str:
    return " OR ".join(f"{' + '.join(f'len({column}_{side})' for column in columns)} = 0" for side in "lr")


SAME_NAME: Final = "name_l = name_r"
_GENERATIONS: Final = f"{_both('generations')} AND NOT {_any('generations')}"
_FAMILY: Final = _any("families")
_GIVEN: Final = f"({_any('forms')} OR list_has_any(initials_l, starts_r) OR list_has_any(starts_l, initials_r))"
_FORM: Final = f"{_FAMILY} AND {_GIVEN}"
_MIDDLES: Final = f"{_both('middles')} AND NOT {_any('middles')} AND NOT {_any('middle_starts')}"
_SPELLING: Final = (
    "length(name_l) >= 8 AND damerau_levenshtein(name_l, name_r) <= 2"
    " AND (damerau_levenshtein(given_l, given_r) <= 1 AND length(given_l) >= 5 OR given_l = given_r)"
)


def _shared(what: str, home: str, crowd: str) -> tuple[Level, ...]:
    """What several people use: in a family a name tells one from the other; none of it is learned."""
    either, one = f"({_any(home)} OR {_any(crowd)})", f"NOT ({_GENERATIONS})"
    names = f"({_any('names')} OR {_FORM})"
    given = f"{_any(home)} AND {_any('forms')}"
    return (
        Level(f"shared {what}, same name", f"{either} AND {names} AND {one}", 0.1, 5e-4, learns=False),
        Level(f"{what} of a household, same given name", f"{given} AND {one}", 0.1, 2e-4, learns=False),
        Level(f"shared {what}", either, 0.05, 5e-3, learns=False),
    )  # fmt: skip


COMPARISONS: Final[dict[str, tuple[str, tuple[Level, ...]]]] = {
    "name": (
        _unknown("names"),
        (
            Level("junior and senior", _GENERATIONS, 2e-3, 0.1, learns=False),
            Level("same name", SAME_NAME, 0.5, 1e-4),
            Level("same name, written in another way", _any("names"), 0.08, 1e-5),
            Level(
                "same given name and surname, other middle names", f"{_FORM} AND {_MIDDLES}", 0.01, 1e-4, learns=False
            ),
            Level("one name is a form of the other", _FORM, 0.12, 5e-5),
            Level("names are spelt alike", _SPELLING, 0.06, 2e-5),
            Level("same given name, other surname", _any("forms"), 0.1, 0.015),
            Level("same surname, other given name", _FAMILY, 5e-3, 0.05, learns=False),
            Level("different names", "ELSE", 0.01, 0.98, learns=False),
        ),
    ),
    "mail": (
        _unknown("emails", "home_emails", "crowd_emails"),
        (
            Level("same e-mail address", f"email_l = email_r OR {_any('emails')}", 0.6, 1e-6),
            Level("same mailbox but for a tag or dots", _any("folded"), 0.05, 1e-6, learns=False),
            *_shared("e-mail address", "home_emails", "crowd_emails"),
            Level("other e-mail addresses", "ELSE", 0.3, 0.98),
        ),
    ),
    "phone": (
        _unknown("phones", "home_phones", "crowd_phones"),
        (
            Level("same phone number", f"phone_l = phone_r OR {_any('phones')}", 0.6, 1e-6),
            *_shared("phone number", "home_phones", "crowd_phones"),
            Level("other phone numbers", "ELSE", 0.35, 0.98),
        ),
    ),
    "LinkedIn": (
        _unknown("profiles"),
        (
            Level("same LinkedIn profile", f"profile_l = profile_r OR {_any('profiles')}", 0.85, 1e-6),
            Level("other LinkedIn profiles", "ELSE", 0.15, 1.0),
        ),
    ),
    "GitHub": (
        _unknown("github"),
        (
            Level("same GitHub profile", _any("github"), 0.85, 1e-6),
            Level("other GitHub profiles", "ELSE", 0.15, 1.0),
        ),
    ),
    "place": (
        _unknown("places"),
        (
            Level("same place", f"place_l = place_r OR {_any('places')}", 0.6, 0.05),
            Level("other place", "ELSE", 0.4, 0.95),
        ),
    ),
}
"""{what is compared: (SQL for "not known of one of them", its levels, the first that holds counts)}.

m of the levels that are not learned comes from experience: what families and shared mailboxes have in common would
teach that one person often has two given names.
"""
BLOCKS: Final = ("email", "phone", "profile", "name")  # columns by whose equality pairs to learn from are found
N_RANDOM: Final = 300_000  # random pairs in which strangers are counted
AT_ONCE: Final = 30_000  # of them in memory at once: all 300,000 take 500 MB, these 60, and the counts are the same
N_LEARNED: Final = 200_000  # pairs per block to learn from, at most
FEWEST: Final = 50  # pairs of a block below which nothing is learned from it
EXPERIENCE: Final = 0.1  # how much of m stays what experience says, however much was learned
STRANGERS: Final = 5_000  # pairs of strangers that experience counts for, beside those of the customer
LEAST, MOST = 1e-9, 0.999  # no weight is without a bound
SEED: Final = 7
TEXTS: Final = ("unique_id", "name", "given", "email", "phone", "profile", "place")  # all other columns are lists
COLUMNS: Final = ("comparison", "level", "m", "u", "weight", "learned")
Known = Mapping[tuple[str, str], tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """A model of what speaks for one person.

    weights: comparison, level, m, u, weight (in bits: 3 makes it eight times as likely), learned ("m u", "u" or "").
    prior: the chance that two people taken at random are one.  n_pairs: {column: pairs it was learned from}.
    """

    weights: pd.DataFrame
    prior: float
    n_pairs: dict[str, int]

    def of_pairs(
        self, records: pd.DataFrame, pairs: Sequence[tuple[str, str]], *, common: Mapping[str, float]
    ) -> list[float]:
        """The probability (0..1) of each pair of ids of `records`, in order; `common` is the share of each name."""
        if not pairs:
            return []
        known = {(row.comparison, row.level): (row.m, row.u) for row in self.weights.itertuples()}
        with _linker(records, settings(self.prior, known)) as linker:
            rarest = min(common.values(), default=1.0)
            names = pd.DataFrame({"name": records["name"].dropna().unique()})
            names["tf_name"] = [common.get(name, rarest) for name in names["name"]]
            tables = linker.table_management
            tables.register_term_frequency_lookup(linker._db_api.register(names), "name")
            blocked = pd.DataFrame(sorted(set(pairs)), columns=["join_key_l", "join_key_r"]).assign(match_key="0")
            tables.register_blocked_pairs_for_predict(linker._db_api.register(blocked))
            found = linker.inference.predict(warning_mode="never").as_pandas_dataframe()
        told = zip(found["unique_id_l"], found["unique_id_r"], found["match_probability"], strict=True)
        of = {(a, b): float(chance) for a, b, chance in told}
        return [of[pair] for pair in pairs]


def settings(prior: float, known: Known | None = None) -> Json:
    """Splink's settings; `known` gives m and u of (comparison, words of a level) in place of those from experience."""
    comparisons = []
    for name, (unknown, levels) in COMPARISONS.items():
        rows: list[Json] = [{"sql_condition": unknown, "label_for_charts": "not known", "is_null_level": True}]
        for level in levels:
            m, u = (known or {}).get((name, level.words), (level.m, level.u))
            row = {"sql_condition": level.when, "label_for_charts": level.words, "m_probability": m, "u_probability": u}
            row |= {"fix_m_probability": not level.learns, "fix_u_probability": not level.learns}
            if level.when == SAME_NAME:
                row |= {"tf_adjustment_column": "name", "tf_adjustment_weight": 1.0}
            rows.append(row)
        comparisons.append({"output_column_name": name, "comparison_levels": rows})
    return {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": prior,
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": False,
        "linker_uid": "people",
    }


def learn(
    contacts: pd.DataFrame, *, prior: float, prior_of_contacts: float, counted: Mapping[str, float] | None = None
) -> Likeness:
    """Learn from contacts, a row each (see `table_of`); the priors are of two people, and of two of these contacts.

    `counted` gives u of levels that were counted among all people: {words: u}. What hardly any two strangers share is
    not seen in random pairs.
    """
    counted = counted or {}
    if len(contacts) < 2:
        weights = _weights({}, n_random=1, prior=prior_of_contacts, counted=counted)
        return Likeness(weights=weights, prior=prior, n_pairs={})
    n_random = min(N_RANDOM, len(contacts) * (len(contacts) - 1) // 2)
    n_pairs = {column: _n_pairs(contacts[column]) for column in BLOCKS}
    used = {column: count for column, count in n_pairs.items() if count >= FEWEST}
    with _linker(contacts, settings(prior_of_contacts)) as linker:
        linker.training.estimate_u_using_random_sampling(
            max_pairs=N_RANDOM, seed=SEED, min_count_per_level=None, num_chunks=math.ceil(n_random / AT_ONCE)
        )
        for column in used:
            linker.training.estimate_parameters_using_expectation_maximisation(
                f"l.{column} = r.{column}", estimate_without_term_frequencies=True, max_pairs=N_LEARNED
            )
        told = linker.misc.save_model_to_json(out_path=None)
    trained = {
        (one["output_column_name"], level["label_for_charts"]): level
        for one in told["comparisons"]
        for level in one["comparison_levels"]
    }
    weights = _weights(trained, n_random=n_random, prior=prior_of_contacts, counted=counted)
    return Likeness(weights=weights, prior=prior, n_pairs=used)


def _n_pairs(values: pd.Series) -> int:
    counts = values.value_counts()
    return int((counts * (counts - 1) // 2).sum())


@contextmanager
def _linker(records: pd.DataFrame, wanted: Json) -> Iterator[Linker]:
    """Splink on a DuckDB of one thread (sums in one order: the same weights each time) that reaches nothing outside."""
    import duckdb  # noqa: PLC0415 (both take a third of a second to import, and only 03_dedupe needs them)
    from splink import DuckDBAPI, Linker  # noqa: PLC0415

    logging.getLogger("splink").setLevel(logging.ERROR)
    config = {"threads": 1, "enable_external_access": False, "temp_directory": ""}
    with duckdb.connect(config=config) as connection:
        connection.execute("SET enable_progress_bar = false")
        table = DuckDBAPI(connection).register(_typed(records), dataset_display_name="people")
        yield Linker(table, wanted, log_level=None, validate_settings=False)


def _typed(records: pd.DataFrame) -> pyarrow.Table:
    """The records with their types: where nobody has a value, none could be told from the values."""
    import pyarrow  # noqa: PLC0415

    text = pyarrow.string()
    kinds = [(name, text if name in TEXTS else pyarrow.list_(text)) for name in records.columns]
    return pyarrow.Table.from_pandas(records, schema=pyarrow.schema(kinds), preserve_index=False)


def _weights(
    trained: Mapping[tuple[str, str], Json], *, n_random: int, prior: float, counted: Mapping[str, float]
) -> pd.DataFrame:
    """m and u of every level, with their weight; what was counted among strangers is without those who are one person.

    A level that was not seen keeps what experience says; one that was seen nowhere among strangers is not rarer than
    once in all pairs that were looked at.
    """
    rows = []
    for name, (_, levels) in COMPARISONS.items():
        for level in levels:
            found = trained.get((name, level.words), {}) if level.learns else {}
            m, u, learned = level.m, level.u, []
            if (told := _learned(found, "m_probability", level.m)) is not None:
                m = (1 - EXPERIENCE) * told + EXPERIENCE * level.m
                learned.append("m")
            if level.words in counted:
                u = counted[level.words]
                learned.append("u")
            elif (told := _learned(found, "u_probability", level.u)) is not None:
                seen = max((told - prior * m) / (1 - prior), 0.5 / n_random)
                u = (n_random * seen + STRANGERS * level.u) / (n_random + STRANGERS)
                learned.append("u")
            m, u = (min(max(one, LEAST), MOST) for one in (m, u))
            rows.append((name, level.words, m, u, round(math.log2(m / u), 2), " ".join(learned)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _learned(level: Json, key: str, before: float) -> float | None:
    """What was learned; None where a level was not seen (then it is missing, or still what it was before)."""
    value = level.get(key)
    return value if isinstance(value, float) and value != before else None
