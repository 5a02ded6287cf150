"""The paper's tables and figure measured anew, each cell beside what was published."""

from transfer.analysis.replication.cells import COLUMNS, COUNTS, Source, checked, halves
from transfer.analysis.replication.page import Replication, write
from transfer.analysis.replication.tables import STATEMENTS

__all__ = ["COLUMNS", "COUNTS", "STATEMENTS", "Replication", "Source", "checked", "halves", "write"]
