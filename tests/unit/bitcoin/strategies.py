"""Any input and output of a transaction, for hypothesis."""

from hypothesis import strategies as st

from miner.bitcoin.tx import TxIn, TxOut

inputs = st.builds(
    TxIn,
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=300),
    st.integers(0, 2**32 - 1),
    st.lists(st.binary(max_size=90), max_size=3).map(tuple),
)
outputs = st.builds(TxOut, st.integers(-(2**63), 2**63 - 1), st.binary(max_size=300))
