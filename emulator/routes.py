"""The names of Graph's routes."""


def name_route(method: str, segments: list[str]) -> tuple[str, str]:
    """The route's name with ``{id}`` in place of the item's, and that id."""
    parts = [part.rstrip("()").removeprefix("microsoft.graph.") for part in segments]
    item_id = ""
    at = {"messages": 2, "mailFolders": 2}.get(
        parts[1] if len(parts) > 1 else "", 1 if parts[:1] == ["subscriptions"] else 9
    )
    if len(parts) > at:
        item_id, parts[at] = segments[at], "{id}"
    return f"{method} /{'/'.join(parts)}", item_id
