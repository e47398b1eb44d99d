"""Records as columns are, to whoever looks at them one by one, what they were made of."""

from hypothesis import given
from hypothesis import strategies as st

from vigia.stores.base import RawRecord
from vigia.stores.records import Records

optional = st.none() | st.binary(max_size=5)
headers = st.just(()) | st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=3)), max_size=2).map(tuple)
records = st.lists(
    st.builds(
        RawRecord, st.just("metrics"), st.just(3), st.integers(0, 9), st.integers(0, 9), optional, optional, headers
    ),
    max_size=6,
)


@given(records, st.integers(0, 6), st.integers(0, 6))
def test_columns_index_slice_and_iterate_as_the_list_that_they_were_made_of(listed, start, stop):
    columns = Records.of(listed)
    assert Records.of(columns) is columns
    assert [columns[index] for index in range(len(columns))] == list(columns) == listed
    assert list(columns[start:stop]) == listed[start:stop]
    assert columns.value_bytes == sum(len(record.value or b"") for record in listed)
    assert (columns.headers is None) == (not any(record.headers for record in listed))


@given(st.lists(records.filter(len), min_size=1, max_size=3))
def test_pieces_joined_are_the_pieces_end_to_end(pieces):
    joined = Records.joined([Records.of(piece) for piece in pieces])
    assert list(joined) == [record for piece in pieces for record in piece]
