"""The printed tables: one row per measurement, with its bar if it has one."""

from dataclasses import dataclass

WIDTHS = (58, 11, 11, 11, 8, 8)


@dataclass(frozen=True)
class Row:
    """Three figures in one unit, and the ratio of the first to the second (or as the title says).

    `bar`: the highest allowed ratio. None for a row without a limit.
    """

    name: str
    figures: tuple[float | None, ...]
    ratio: float
    bar: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the ratio is within the bar."""
        return self.bar is None or self.ratio <= self.bar


def show(title: str, columns: tuple[str, ...], rows: list[Row]) -> None:
    """Print a table."""
    print(f"\n{title}")
    print(_line(("", *columns, "ratio", "bar")))
    for row in rows:
        figures = tuple("" if figure is None else f"{figure:,.2f}" for figure in row.figures)
        figures += ("",) * (3 - len(figures))
        bar = "" if row.bar is None else f"{row.bar:.2f}"
        verdict = "" if row.holds else "  BROKEN"
        print(_line((row.name, *figures, f"{row.ratio:.2f}", bar)) + verdict, flush=True)


def _line(cells: tuple[str, ...]) -> str:
    padded = [cells[0].ljust(WIDTHS[0])]
    padded += [cell.rjust(width) for cell, width in zip(cells[1:], WIDTHS[1:], strict=True)]
    return "".join(padded)
