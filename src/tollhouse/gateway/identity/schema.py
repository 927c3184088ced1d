"""The tables of the identity store, one migration a version."""

from pathlib import Path

# Every row carries the version of its last change, by which workers find what is new to them.
# teams and groups are JSON arrays: their order counts and nothing joins them; first_team is what calls belong to.
_FIRST = """
CREATE TABLE store (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version INTEGER NOT NULL,
    last_valid_from TEXT NOT NULL,
    pepper_check BLOB NOT NULL
);
CREATE TABLE teams (name TEXT PRIMARY KEY, cost_center TEXT, project TEXT, version INTEGER NOT NULL);
CREATE INDEX teams_by_version ON teams (version, name);
CREATE TABLE principals (
    name TEXT PRIMARY KEY,
    principal_type TEXT NOT NULL CHECK (principal_type IN ('USER', 'SERVICE_PRINCIPAL')),
    teams TEXT NOT NULL,
    first_team TEXT REFERENCES teams (name),
    groups TEXT NOT NULL,
    cost_center TEXT,
    project TEXT,
    is_deleted INTEGER NOT NULL,
    version INTEGER NOT NULL
);
CREATE INDEX principals_by_team ON principals (first_team);
CREATE INDEX principals_by_version ON principals (version, name);
CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    principal TEXT NOT NULL REFERENCES principals (name),
    digest BLOB NOT NULL UNIQUE,
    team TEXT REFERENCES teams (name),
    cost_center TEXT,
    project TEXT,
    description TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    rotated_from TEXT REFERENCES keys (key_id),
    version INTEGER NOT NULL
);
CREATE INDEX keys_by_principal ON keys (principal);
CREATE INDEX keys_by_version ON keys (version, key_id);
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL);
CREATE VIEW principal_states AS
SELECT p.name, p.principal_type, p.teams, p.groups, p.first_team, p.is_deleted,
    coalesce(t.cost_center, p.cost_center) AS cost_center,
    coalesce(t.project, p.project) AS project
FROM principals AS p LEFT JOIN teams AS t ON t.name = p.first_team
"""

MIGRATIONS = (_FIRST,)


def store_path(state_dir: Path) -> Path:
    """Where the store is."""
    return state_dir / "gateway" / "identity.sqlite"
