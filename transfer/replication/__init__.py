"""The paper's tables and figure measured anew, each cell beside what was published."""

from transfer.replication.cells import COLUMNS, COUNTS, Source, checked, halves
from transfer.replication.report import Replication, write
from transfer.replication.tables import STATEMENTS

__all__ = ["COLUMNS", "COUNTS", "STATEMENTS", "Replication", "Source", "checked", "halves", "write"]
