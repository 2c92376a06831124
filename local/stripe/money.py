"""Which amounts Stripe takes in which currency.

Sources: Stripe, "Supported currencies" (zero-decimal, special cases, minimum charge amounts);
docs/providers.md, section E.
"""

from local.stripe.errors import StripeError, invalid, refused

_TWO_DECIMAL = (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn "
    "bzd cad cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gtq "
    "gyd hkd hnl hrk htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl "
    "mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar "
    "ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx "
    "uyu uzs wst xcd yer zar zmw"
)
_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
TWO_DECIMAL = frozenset(_TWO_DECIMAL.split())
ZERO_DECIMAL = frozenset(_ZERO_DECIMAL.split())
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_UNITS = frozenset({"isk", "ugx"})
"""No decimals in ISO 4217, but hundredths at Stripe: only multiples of 100 pass."""

MINIMUM = {
    "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500,
    "mxn": 1000, "myr": 200, "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
DEFAULT_MINIMUM = 50
LARGEST = 99_999_999


def check_currency(currency: str) -> str:
    """Return the currency in lower case. Raises StripeError for an unknown one."""
    lowered = currency.lower()
    if lowered in TWO_DECIMAL | ZERO_DECIMAL | THREE_DECIMAL:
        return lowered
    raise invalid(f"Invalid currency: {lowered}. Stripe does not support it.", "currency")


def check_amount(amount: int, currency: str, param: str = "amount") -> int:
    """Return the amount (smallest unit). Raises StripeError outside of Stripe's limits."""
    if amount < 1:
        raise _too_low(param)
    if amount > LARGEST:
        message = "Amount must be no more than 999,999.99"
        raise refused(f"{message} {currency}", param, "amount_too_large")
    least = MINIMUM.get(currency, DEFAULT_MINIMUM)
    if amount < least:
        message = f"Amount must be at least {least} in the smallest unit of {currency}"
        raise refused(message, param, "amount_too_small")
    check_decimals(amount, currency, param)
    return amount


def check_decimals(amount: int, currency: str, param: str = "amount") -> None:
    """Raises StripeError for more decimals than the currency has."""
    if currency in WHOLE_UNITS and amount % 100:
        message = f"Invalid amount: {currency} has no decimals, send a multiple of 100"
        raise refused(message, param, "invalid_charge_amount_no_decimal_compatible")
    if currency in THREE_DECIMAL and amount % 10:
        message = f"Invalid amount: {currency} must be rounded to the nearest ten"
        raise refused(message, param)


def _too_low(param: str) -> StripeError:
    message = "This value must be greater than or equal to 1."
    return invalid(message, param, "parameter_invalid_integer")
