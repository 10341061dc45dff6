import GRDB

/// The tables of the inbox, version by version. A version that was released is never edited: add another.
enum InboxSchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in
      // `seq` counts the changes of the inbox; `unread` is kept with each change, so that a bell costs one
      // row.
      try database.execute(
        sql: """
          CREATE TABLE recipient (
            id INTEGER PRIMARY KEY,
            tenant TEXT NOT NULL,
            name TEXT NOT NULL,
            seq INTEGER NOT NULL DEFAULT 0,
            unread INTEGER NOT NULL DEFAULT 0,
            updated INTEGER NOT NULL DEFAULT 0,
            UNIQUE (tenant, name)
          );
          CREATE INDEX recipient_updated ON recipient (updated);
          CREATE INDEX recipient_tenant_updated ON recipient (tenant, updated);
          """)
      // Clustered by inbox and age, which is how it is listed.
      try database.execute(
        sql: """
          CREATE TABLE notification (
            recipient INTEGER NOT NULL REFERENCES recipient (id),
            seq INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            delivery TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            title TEXT NOT NULL,
            link TEXT,
            category TEXT NOT NULL,
            type TEXT NOT NULL,
            events INTEGER NOT NULL,
            created INTEGER NOT NULL,
            read INTEGER,
            PRIMARY KEY (recipient, seq)
          ) WITHOUT ROWID;
          CREATE UNIQUE INDEX notification_changed ON notification (recipient, changed);
          CREATE INDEX notification_unread ON notification (recipient, seq) WHERE read IS NULL;
          """)
      try database.execute(
        sql: """
          CREATE TABLE consumed (
            topic TEXT NOT NULL,
            partition INTEGER NOT NULL,
            next INTEGER NOT NULL,
            PRIMARY KEY (topic, partition)
          ) WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("2") { database in
      // `shown`: the events that the notification shows, a JSON array; null for what was stored before. `engagement`:
      // what recipients did and the engagement topic has not been told yet.
      try database.execute(
        sql: """
          ALTER TABLE notification ADD COLUMN shown TEXT;
          ALTER TABLE notification ADD COLUMN seen INTEGER;
          ALTER TABLE notification ADD COLUMN clicked INTEGER;
          CREATE INDEX notification_unseen ON notification (recipient, seq) WHERE seen IS NULL;
          CREATE TABLE engagement (
            number INTEGER PRIMARY KEY,
            recipient INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            kind TEXT NOT NULL,
            time INTEGER NOT NULL,
            FOREIGN KEY (recipient, seq) REFERENCES notification (recipient, seq)
          );
          """)
    }
    return migrator
  }
}
