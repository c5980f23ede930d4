import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from mantik_tasks.backends.environment import encode_environment
from mantik_tasks.errors import SubmitRejected


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    )
)
def test_any_value_arrives_whole(variables: dict[str, str]) -> None:
    content = encode_environment({name: SecretStr(value) for name, value in variables.items()}).decode()
    records = content.split("\0")[:-1]
    assert dict(record.split("=", 1) for record in records) == variables


@pytest.mark.parametrize("name", ["", "1A", "A B", "A=B", "A\n", "Ä", "A;touch x"])
def test_a_name_that_no_shell_knows_is_refused(name: str) -> None:
    with pytest.raises(SubmitRejected):
        encode_environment({name: SecretStr("x")})


def test_a_value_that_no_variable_can_hold_is_refused_and_not_told() -> None:
    with pytest.raises(SubmitRejected) as refused:
        encode_environment({"TOKEN": SecretStr("s3cr3t\0")})
    assert "s3cr3t" not in str(refused.value)
