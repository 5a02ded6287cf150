from tests.worlds import world as world
