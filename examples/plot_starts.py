"""Draw how many studies started in each month: python examples/plot_starts.py trials.duckdb starts.svg.

The query is one of docs/queries.md. Needs matplotlib. Without arguments it draws made-up studies.
"""

import subprocess
import sys
from pathlib import Path

import duckdb
import matplotlib as mpl

QUERY = """
SELECT CAST(date_trunc('month', start_date_from) AS DATE) AS month, count(*) AS studies
FROM studies
WHERE start_date_until < start_date_from + INTERVAL '1 month'
GROUP BY 1
ORDER BY 1
"""


def draw(database: Path, picture: Path) -> int:
    """Draw the picture, which is the same for the same rows. Returns how many months there are."""
    mpl.use("svg")
    from matplotlib import pyplot

    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(QUERY).fetchall()
    with mpl.rc_context({"svg.hashsalt": "trialconv", "svg.fonttype": "none"}):
        figure, axes = pyplot.subplots(figsize=(8, 3), layout="constrained")
        axes.bar([month for month, _ in rows], [count for _, count in rows], width=25, color="#2a6f97")
        axes.set(title="Studies by the month in which they started", ylabel="studies")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(picture, metadata={"Date": None})
        pyplot.close(figure)
    return len(rows)


def made_up(folder: Path) -> Path:
    """Load made-up studies into a database of a folder."""
    source, database = folder / "studies.ndjson", folder / "trials.duckdb"
    with source.open("wb") as lines:
        maker = [sys.executable, str(Path(__file__).with_name("made_up_studies.py"))]
        subprocess.run(maker, stdout=lines, check=True)  # noqa: S603 - a script beside this one
    load = ["trialconv", "load", str(source), "--to", f"duckdb:{database}"]
    subprocess.run(load, check=True, capture_output=True)  # noqa: S603
    return database


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(sys.argv[1]) if len(sys.argv) > 1 else made_up(Path(scratch))
        target = Path(sys.argv[2] if len(sys.argv) > 2 else "starts.svg")
        sys.stdout.write(f"{target}: {draw(source, target)} months\n")
