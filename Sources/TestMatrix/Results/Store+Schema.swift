import GRDB

extension Store {
    /// Each change of the schema, in order. A released one is never edited: a later one changes what it made.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("runs, cells, tests and results") { database in
            try database.execute(
                sql: """
                    CREATE TABLE run (
                        number INTEGER PRIMARY KEY,
                        id TEXT NOT NULL UNIQUE,
                        state TEXT NOT NULL,
                        started REAL NOT NULL,
                        finished REAL,
                        tool TEXT NOT NULL,
                        kernel TEXT NOT NULL,
                        machine TEXT NOT NULL,
                        environment TEXT NOT NULL,
                        command TEXT NOT NULL,
                        configuration TEXT NOT NULL,
                        seed INTEGER NOT NULL,
                        shard TEXT,
                        folder TEXT NOT NULL,
                        baseline REAL
                    );
                    CREATE INDEX run_by_start ON run (started);

                    CREATE TABLE cell (
                        id INTEGER PRIMARY KEY,
                        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
                        position INTEGER NOT NULL,
                        suite TEXT NOT NULL,
                        target TEXT NOT NULL,
                        depth INTEGER,
                        cycle INTEGER NOT NULL,
                        state TEXT NOT NULL,
                        reason TEXT NOT NULL DEFAULT '',
                        seed INTEGER NOT NULL,
                        command TEXT NOT NULL DEFAULT '[]',
                        started REAL,
                        seconds REAL NOT NULL DEFAULT 0,
                        attempts INTEGER NOT NULL DEFAULT 0,
                        log TEXT NOT NULL DEFAULT '',
                        UNIQUE (run, position)
                    );

                    CREATE TABLE test (
                        id INTEGER PRIMARY KEY,
                        suite TEXT NOT NULL,
                        area TEXT NOT NULL,
                        name TEXT NOT NULL,
                        UNIQUE (suite, area, name)
                    );

                    -- A test on a target: what has a history. Results name it, so that counting them over all runs
                    -- reads one index from end to end and joins nothing.
                    CREATE TABLE track (
                        id INTEGER PRIMARY KEY,
                        test INTEGER NOT NULL REFERENCES test,
                        target TEXT NOT NULL,
                        UNIQUE (test, target)
                    );

                    CREATE TABLE result (
                        cell INTEGER NOT NULL REFERENCES cell ON DELETE CASCADE,
                        track INTEGER NOT NULL REFERENCES track,
                        repetition INTEGER NOT NULL,
                        position INTEGER NOT NULL,
                        verdict INTEGER NOT NULL,
                        seconds REAL NOT NULL,
                        message TEXT NOT NULL,
                        evidence TEXT NOT NULL,
                        checks TEXT,
                        PRIMARY KEY (cell, track, repetition)
                    ) WITHOUT ROWID;
                    CREATE INDEX result_by_track ON result (track, cell, verdict);
                    CREATE INDEX result_that_failed ON result (track, cell) WHERE verdict >= 2;
                    """)
        }
        migrator.registerMigration("kernels of guests") { database in
            try database.execute(
                sql: """
                    ALTER TABLE cell ADD COLUMN kernel TEXT;
                    ALTER TABLE cell ADD COLUMN machine TEXT;
                    """)
        }
        migrator.registerMigration("measurements") { database in
            try database.execute(sql: "ALTER TABLE result ADD COLUMN measurement TEXT;")
        }
        migrator.registerMigration("parts of merged runs") { database in
            try database.execute(sql: "ALTER TABLE run ADD COLUMN parts TEXT;")
        }
        return migrator
    }
}
