//! A small organization for tests of the issue queries. In: nothing. Out: a migrated `SQLite` database with two
//! organizations, a project each, and issues.

use diesel::prelude::*;
use tempfile::TempDir;

use super::schema::issues;
use super::scope::{OrgScope, authorize};
use super::{Conn, DatabaseUrl, accounts, migrate};

pub struct Fixture {
    pub conn: Conn,
    pub acme: OrgScope,
    pub other: OrgScope,
    _folder: TempDir,
}

/// An hour after which nothing of the fixture happened.
pub const NOW: i64 = 1_795_000_000_000;

impl Fixture {
    /// Issue `n` (1 to 5) of acme was last seen `n` minutes ago; issue 100 belongs to the other organization.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let url = DatabaseUrl::parse(&url).expect("a database address");
        migrate::run(&url).expect("migrations run");
        let mut conn = url.connect().expect("a connection");
        let mut organization = |slug: &str| {
            let email = format!("{slug}@example.com");
            let user = accounts::create_user(&mut conn, &email, "", "x", false).expect("a user");
            let made = accounts::create_organization(&mut conn, slug, slug, user.id);
            let made = made.expect("an organization");
            let project = accounts::create_project(&mut conn, made.id, "shop", "shop", "python");
            let (project, _) = project.expect("a project");
            let scope = authorize(&mut conn, user.id, slug).expect("a member");
            (scope, project.id)
        };
        let (acme, shop) = organization("acme");
        let (other, theirs) = organization("other");
        for number in 1..=5 {
            insert(&mut conn, &acme, shop, number);
        }
        insert(&mut conn, &other, theirs, 100);
        Self {
            conn,
            acme,
            other,
            _folder: folder,
        }
    }
}

fn insert(conn: &mut Conn, scope: &OrgScope, project_id: i64, number: i64) {
    let seen = NOW - number * 60_000;
    diesel::insert_into(issues::table)
        .values((
            (
                issues::id.eq(number),
                issues::organization_id.eq(scope.organization_id()),
                issues::project_id.eq(project_id),
                issues::short_number.eq(number),
                issues::kind.eq("error"),
                issues::level.eq(40),
                issues::platform.eq("python"),
                issues::title.eq(format!("KeyError{number}: 50%_off")),
                issues::title_type.eq(format!("KeyError{number}")),
                issues::title_value.eq("50%_off"),
                issues::culprit.eq("shop.cart in total"),
                issues::location.eq("cart.py"),
            ),
            (
                issues::status.eq(0),
                issues::substatus.eq(7),
                issues::status_changed_at.eq(seen),
                issues::first_seen.eq(seen),
                issues::last_seen.eq(seen),
                issues::times_seen.eq(7),
                issues::users_seen.eq(number),
                issues::is_unhandled.eq(number % 2 == 0),
                issues::regressions.eq(0),
            ),
        ))
        .execute(conn)
        .expect("an issue");
}
