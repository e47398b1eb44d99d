"""The contract type `room` for import-linter: one row of the room table in docs/design.md.

A room may import itself, the empty package `vigia` and what its row lists; everything else of ours is refused, so a new
room is closed until somebody writes its row. Import-linter's own `forbidden` type lists what is refused instead, and
stops with an error at a room that does not exist yet; this one passes it over.
"""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

ROOT = "vigia"


class RoomContract(Contract):
    """Checks the imports that leave one room.

    Direct imports are compared with `may_import`. `never_reaches` is about chains of any length: what a room must not
    pull in even through the rooms it may use.
    """

    type_name = "room"

    room = fields.StringField()
    may_import = fields.SetField(subfield=fields.StringField())
    never_reaches = fields.SetField(subfield=fields.StringField(), required=False, default=frozenset())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 (import-linter's signature)
        room = f"{ROOT}.{self.room}"
        if room not in graph.modules:
            return ContractCheck(kept=True)
        faults = direct_faults(graph, room, {f"{ROOT}.{name}" for name in _names(self.may_import)})
        faults += far_faults(graph, room, _names(self.never_reaches))
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for fault in check.metadata["faults"]:
            output.print_error(f"- {fault}", bold=False)
        output.new_line()


def direct_faults(graph: ImportGraph, room: str, allowed: set[str]) -> list[str]:
    """Every import of ours that leaves the room for a module outside `allowed` (modules, with all below them)."""
    faults = []
    for importer in sorted({room} | graph.find_descendants(room)):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            ours = imported.startswith(f"{ROOT}.") or imported.split(".")[0] == "scripts"
            if ours and not any(_is_within(imported, place) for place in {room} | allowed):
                lines = sorted(
                    detail["line_number"] for detail in graph.get_import_details(importer=importer, imported=imported)
                )
                faults.append(f"{importer} imports {imported} (line {', '.join(map(str, lines))})")
    return faults


def far_faults(graph: ImportGraph, room: str, refused: set[str]) -> list[str]:
    """Every shortest chain of imports from the room to a package that it must not reach."""
    faults = []
    for package in sorted(refused & graph.modules):
        chains = graph.find_shortest_chains(importer=room, imported=package, as_packages=True)
        faults += [f"{' -> '.join(chain)} must not be reached" for chain in sorted(chains)]
    return faults


def _is_within(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")


def _names(field: object) -> set[str]:
    """The values of a set field, which import-linter's types describe as the field itself."""
    return {str(name) for name in field} if isinstance(field, (set, frozenset)) else set()
