"""Points 2, 3 and 4: where a message is, in which form, and which arrivals that makes."""

from datetime import datetime

from tests.lineage.events.builders import at, hop, message, policy
from tests.lineage.semantics.conftest import Judge
from tests.lineage.semantics.reference_log import instant

ENOUGH = ("k-anonymity", 50)


def test_a_message_is_born_in_its_origin(judge: Judge) -> None:
    found = judge(message("m", dataset="inbox", sent_at=at(3)))
    assert found.arrivals == {("m", None, "inbox", "m", "SEND", instant(at(3)), True)}


def test_a_hop_without_outputs_keeps_every_id(judge: Judge) -> None:
    found = judge(
        message("m"), message("n"), hop("h", "inbox", "lake", ["m", "n"], operation="COPY")
    )
    assert found.places() - {("m", "inbox", "m"), ("n", "inbox", "n")} == {
        ("m", "lake", "m"),
        ("n", "lake", "n"),
    }


def test_with_outputs_every_input_flows_into_every_output(judge: Judge) -> None:
    found = judge(message("m"), message("n"), hop("h", "inbox", "lake", ["m", "n"], ["x", "y"]))
    assert {place for place in found.places() if place[1] == "lake"} == {
        ("m", "lake", "x"),
        ("m", "lake", "y"),
        ("n", "lake", "x"),
        ("n", "lake", "y"),
    }


def test_an_arrival_has_the_hops_instant_and_operation(judge: Judge) -> None:
    found = judge(
        message("m"), hop("h", "inbox", "lake", ["m"], ["x"], moved_at=at(7), operation="JOIN")
    )
    assert ("m", "h", "lake", "x", "JOIN", instant(at(7)), True) in found.arrivals


def test_two_inputs_with_one_message_make_one_arrival(judge: Judge) -> None:
    found = judge(
        message("m"),
        hop("h1", "inbox", "lake", ["m"], ["x", "y"], moved_at=at(1)),
        hop("h2", "lake", "corpus", ["x", "y"], ["z"], moved_at=at(2)),
    )
    assert [row[:4] for row in found.arrivals if row[1] == "h2"] == [("m", "h2", "corpus", "z")]


def test_what_enters_after_the_export_did_not_go_with_it(judge: Judge) -> None:
    found = judge(
        message("m", sent_at=at(5)),
        hop("export", "inbox", "sink", ["m"], moved_at=at(4)),
    )
    assert found.places() == {("m", "inbox", "m")}


def test_a_hop_carries_what_was_there_at_its_very_instant(judge: Judge) -> None:
    found = judge(
        message("m", sent_at=at(5)), hop("export", "inbox", "sink", ["m"], moved_at=at(5))
    )
    assert ("m", "sink", "m") in found.places()


def test_one_microsecond_too_early_carries_nothing(judge: Judge) -> None:
    found = judge(
        message("m", sent_at=at(5, 1)), hop("export", "inbox", "sink", ["m"], moved_at=at(5))
    )
    assert found.places() == {("m", "inbox", "m")}


def test_a_shard_is_exported_with_what_it_held_by_then(judge: Judge) -> None:
    found = judge(
        message("m"),
        message("late"),
        hop("fill", "inbox", "lake", ["m"], ["shard"], moved_at=at(1)),
        hop("export", "lake", "sink", ["shard"], moved_at=at(2)),
        hop("fill again", "inbox", "lake", ["late"], ["shard"], moved_at=at(3)),
    )
    assert {place for place in found.places() if place[1] == "sink"} == {("m", "sink", "shard")}


def test_a_record_of_that_name_elsewhere_carries_nothing(judge: Judge) -> None:
    found = judge(message("m", dataset="inbox"), hop("h", "outbox", "lake", ["m"]))
    assert found.places() == {("m", "inbox", "m")}


def test_hops_of_one_instant_chain_in_any_order_of_their_ids(judge: Judge) -> None:
    found = judge(
        message("m", sent_at=at(1)),
        hop("z", "inbox", "lake", ["m"], moved_at=at(1)),
        hop("y", "lake", "corpus", ["m"], moved_at=at(1)),
        hop("x", "corpus", "model", ["m"], moved_at=at(1)),
    )
    assert {place[1] for place in found.places()} == {"inbox", "lake", "corpus", "model"}


def test_cycles_are_legal(judge: Judge) -> None:
    found = judge(
        message("m"),
        hop("there", "inbox", "lake", ["m"], moved_at=at(1)),
        hop("back", "lake", "inbox", ["m"], moved_at=at(1)),
        hop("round", "inbox", "inbox", ["m"], moved_at=at(1)),
    )
    assert {row[1] for row in found.arrivals} == {None, "there", "back", "round"}


def test_a_cycle_does_not_hold_itself_up(judge: Judge) -> None:
    """Each of the two hops would be fed by the other, but nothing ever came in."""
    found = judge(
        message("m", sent_at=at(9)),
        hop("there", "inbox", "lake", ["m"], moved_at=at(1)),
        hop("back", "lake", "inbox", ["m"], moved_at=at(1)),
    )
    assert found.places() == {("m", "inbox", "m")}


def test_no_policy_or_too_small_a_k_or_another_method_declassifies_nothing(judge: Judge) -> None:
    anonymised = [
        hop("before", "inbox", "early", moved_at=at(1), declassification=("k-anonymity", 99)),
        hop("low", "inbox", "low", moved_at=at(3), declassification=("k-anonymity", 49)),
        hop("other", "inbox", "other", moved_at=at(3), declassification=("noise", 99)),
        hop("none", "inbox", "none", moved_at=at(3), operation="ANONYMIZE"),
        hop("at", "inbox", "at", moved_at=at(2), declassification=ENOUGH),
        hop("above", "inbox", "above", moved_at=at(3), declassification=("k-anonymity", 51)),
    ]
    found = judge(
        message("m"), policy("p", effective_at=at(2), declassification=[ENOUGH]), *anonymised
    )
    assert {row[1]: row[6] for row in found.arrivals if row[1]} == {
        "before": True,
        "low": True,
        "other": True,
        "none": True,
        "at": False,
        "above": False,
    }


def test_the_policy_in_force_at_the_hop_decides_not_a_later_one(judge: Judge) -> None:
    found = judge(
        message("m"),
        policy("accepts", effective_at=at(1), declassification=[ENOUGH]),
        policy("accepts nothing", effective_at=at(3)),
        hop("h1", "inbox", "lake", moved_at=at(2), declassification=ENOUGH),
        hop("h2", "inbox", "lake", moved_at=at(3), declassification=ENOUGH),
    )
    assert found.identifiable("lake") == {("h1", "m", False), ("h2", "m", True)}


def test_what_was_declassified_stays_so_downstream(judge: Judge) -> None:
    found = judge(
        message("m"),
        policy("p", declassification=[ENOUGH]),
        hop("anonymise", "inbox", "safe", moved_at=at(1), declassification=ENOUGH),
        hop("export", "safe", "sink", moved_at=at(2)),
    )
    assert found.identifiable("sink") == {("export", "m", False)}


def test_a_record_can_hold_a_message_in_both_forms(judge: Judge) -> None:
    """What left before the identifiable form came is not identifiable; what left after is."""
    found = judge(
        message("m"),
        policy("p", declassification=[ENOUGH]),
        hop(
            "safe",
            "inbox",
            "lake",
            ["m"],
            ["x"],
            moved_at=at(1),
            declassification=ENOUGH,
        ),
        hop("between", "lake", "sink", ["x"], moved_at=at(2)),
        hop("raw", "inbox", "lake", ["m"], ["x"], moved_at=at(3)),
        hop("after", "lake", "sink", ["x"], moved_at=at(4)),
        hop(
            "safe again",
            "inbox",
            "lake",
            ["m"],
            ["x"],
            moved_at=at(5),
            declassification=ENOUGH,
        ),
        hop("still", "lake", "sink", ["x"], moved_at=at(6)),
    )
    assert found.identifiable("sink") == {
        ("between", "x", False),
        ("after", "x", True),
        ("still", "x", True),
    }


def test_an_arrival_is_identifiable_if_any_input_was(judge: Judge) -> None:
    found = judge(
        message("m"),
        policy("p", declassification=[ENOUGH]),
        hop(
            "safe",
            "inbox",
            "lake",
            ["m"],
            ["safe"],
            moved_at=at(1),
            declassification=ENOUGH,
        ),
        hop("raw", "inbox", "lake", ["m"], ["raw"], moved_at=at(1)),
        hop("join", "lake", "sink", ["safe", "raw"], ["z"], moved_at=at(2)),
    )
    assert found.identifiable("sink") == {("join", "z", True)}


def test_anonymising_in_place_leaves_the_identifiable_form(judge: Judge) -> None:
    found = judge(
        message("m"),
        policy("p", declassification=[ENOUGH]),
        hop("in place", "inbox", "inbox", moved_at=at(1), declassification=ENOUGH),
        hop("export", "inbox", "sink", moved_at=at(2)),
    )
    assert found.identifiable("inbox") == {("in place", "m", False)}
    assert found.identifiable("sink") == {("export", "m", True)}


def test_the_far_ends_of_time_are_instants_too(judge: Judge) -> None:
    found = judge(
        message("m", sent_at="1970-01-01T00:00:00Z"),
        hop("h", "inbox", "lake", moved_at="9999-12-31T23:59:59.999999Z"),
    )
    assert {row[5] for row in found.arrivals} == {
        datetime(1970, 1, 1),
        datetime(9999, 12, 31, 23, 59, 59, 999999),
    }


def test_ids_are_compared_character_by_character(judge: Judge) -> None:
    """A UUID in capitals, a trailing space, a decomposed accent: other ids, other records."""
    uuid = "01920b3c-5a1e-7c3d-8f00-0123456789ab"
    spellings = [
        uuid,
        uuid.upper(),
        uuid.replace("-", ""),
        f"{{{uuid}}}",
        "é",
        "e\u0301",
        "e",
        "e ",
    ]
    hops = [hop(f"h{n}", "inbox", f"lake{n}", [one]) for n, one in enumerate(spellings)]
    found = judge(*(message(one) for one in spellings), *hops)
    assert {place for place in found.places() if place[1] != "inbox"} == {
        (one, f"lake{n}", one) for n, one in enumerate(spellings)
    }
