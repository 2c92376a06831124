"""`python -m local`, which `make start` runs: the whole bundle on this machine until Ctrl-C.

Source: docs/architecture.md, section 4.
"""

import errno
import os
import signal
import sys
import time

DEFAULT_PORT = "8787"
WELCOME = """
Bridge Payments runs at {url}

  session of user_456 (jane.doe@example.com, admin of org_456 and org_789)   session_abc123
  session of user_789 (member of nothing)                                    session_def456
  records of user_456: customers cust_123 and cust_456, payments pay_123 (also pi_stripe_abc123)
  and pay_456 (authorized, to be captured or canceled),
  saved payment method pm_saved_card_123; Stripe's test methods (pm_card_visa) work as there

  credentials of org_456
    payments.ai            Authorization: ApiKey acct_demo_key_demo
    Monri                  authenticity token demo-authenticity-token, key demo-merchant-key
    Alternative Payments   Authorization: YOUR_API_KEY; or OAuth client demo-client, demo-secret

Try it:

  curl {url}/bridge-payment/payments/pay_123 -H "X-Session-ID: session_abc123"

{url}/_local/ shows what the simulators hold. Ctrl-C stops all of it.
"""


def main() -> int:
    """Run until a signal ends the process. Returns 1 if the port cannot be used."""
    for name in (signal.SIGINT, signal.SIGTERM):  # a shell may have told this process to ignore it
        signal.signal(name, _stop)
    given = os.environ.get("PORT") or DEFAULT_PORT
    if not given.isascii() or not given.isdigit() or int(given) > 65_535:
        return _refuse(f"PORT must be a number up to 65535, not {given!r}.")
    began = time.monotonic()
    _say(f"Starting Bridge Payments on port {given} …")
    # Imported here because it takes a second, and the line above should be printed before.
    from local.template import ROOT

    sys.path.insert(0, str(ROOT / "layers" / "bridge" / "python"))
    from local.stack import Stack

    try:
        stack = Stack(int(given), _say)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        return _refuse(
            f"Port {given} is not to be had ({error.strerror}). Stop what uses it,"
            f" or take another one: PORT={int(given) % 65_535 + 1} make start"
        )
    stack.start()
    _say(WELCOME.format(url=stack.url) + f"\n(started in {time.monotonic() - began:.1f} s)")
    while True:  # the handler runs in this thread, so it must wake up: another may get the signal
        time.sleep(0.2)


def _stop(*_: object) -> None:
    """End the process at once. Nothing is kept, and so no thread can print a traceback."""
    os.write(sys.stdout.fileno(), b"\nStopped.\n")
    os._exit(0)


def _say(line: str) -> None:
    print(line, flush=True)


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
