"""The garbage collector waits while a function starts.

A cold start makes 80,000 objects that stay. The collector would visit them again and again, which
takes a tenth of the start. So it waits until they exist; `aws.client` sets it back.
Source: docs/decisions.md, section 13.
"""

import gc

COLLECT_EVERY = gc.get_threshold()
gc.set_threshold(250_000)
