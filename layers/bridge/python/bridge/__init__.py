"""Bridge Payments: what all functions share. Source: docs/architecture.md, section 2."""

import bridge.startup  # noqa: F401 - before any other import
