"""Building a conversation's turns."""

from collections.abc import Iterable

from tollhouse.gateway.translation.conversation import Part, Role, ToolResult, ToolUse, Turn


def add_parts(turns: list[Turn], role: Role, parts: Iterable[Part]) -> None:
    """Append parts of one role, to the last turn where it has the same role."""
    added = list(parts)
    if not added:
        return
    if turns and turns[-1].role == role:
        turns[-1].parts.extend(added)
    else:
        turns.append(Turn(role, added))


def name_results(turns: Iterable[Turn]) -> None:
    """Give each ToolResult without a name that of the earlier ToolUse with its id."""
    names: dict[str, str] = {}
    for turn in turns:
        for part in turn.parts:
            if isinstance(part, ToolUse):
                names[part.call_id] = part.name
            elif isinstance(part, ToolResult) and part.name is None:
                part.name = names.get(part.call_id)
