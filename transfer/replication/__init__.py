"""The paper's tables and figure measured anew, each cell beside what was published."""
