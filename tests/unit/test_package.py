"""The package tells what is in it."""

import mantik_tasks


def test_every_public_name_is_there_and_in_order() -> None:
    assert mantik_tasks.__all__ == sorted(mantik_tasks.__all__)
    for name in mantik_tasks.__all__:
        assert getattr(mantik_tasks, name) is not None


def test_the_table_of_homes_is_the_list_of_names() -> None:
    assert {*mantik_tasks._MODULES, "__version__"} == set(mantik_tasks.__all__)
