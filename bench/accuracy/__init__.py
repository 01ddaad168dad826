"""How often the right artwork comes first, and how often "none of ours" is right: Arthur beside its peers.

One run asks every system the same photos in the same order and keeps what each answered as raw rows; all figures are
computed from the rows afterwards.
"""
