//! Users and groups, entry by entry: what Cairn does not manage keeps its bytes.
//!
//! [`plan`] is pure: from the files as they are to the files as they should be. An account that the
//! host had before is kept in generation 0 and comes back when it is no longer managed; one that
//! Cairn made goes. Ids are remembered, so that an account that returns owns its files again.

mod database;
mod drift;
mod subordinate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use cairn_generation::Manifest;
use cairn_generation::manifest::{Group, User};
use cairn_generation::wire::Drift;
use serde::{Deserialize, Serialize};

use database::{Database, Locked};

use crate::disk::{Disk, Ids};
use crate::error::Error;
use crate::origin::Origin;
use crate::state::{State, read_json, write_json};

/// Ids that were given to accounts, for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    #[serde(default)]
    users: BTreeMap<String, u32>,
    #[serde(default)]
    groups: BTreeMap<String, u32>,
    /// First subordinate id of each user that has a range of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    subordinate: BTreeMap<String, u32>,
}

/// A login as it will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) home: String,
    pub(crate) shell: String,
    /// Whether some password opens it.
    pub(crate) has_password: bool,
    pub(crate) groups: BTreeSet<String>,
}

/// The account files of one host.
#[derive(Debug)]
pub(crate) struct Accounts {
    etc: PathBuf,
    given: Given,
}

impl Accounts {
    pub(crate) fn new(root: &Path) -> Self {
        Self { etc: root.join("etc"), given: Given::default() }
    }

    /// Chooses ids for accounts that the host does not have, and remembers them.
    ///
    /// # Errors
    /// When an account cannot be as `to` says: the host has it with another id, an id is taken, a
    /// group is missing.
    pub(crate) fn allocate(
        &mut self,
        disk: &Disk,
        state: &State,
        to: &Manifest,
    ) -> Result<(), Error> {
        let path = state.file("ids.json");
        self.given = read_json(&path)?.unwrap_or_default();
        if to.users.is_empty() && to.groups.is_empty() {
            return Ok(());
        }
        let database = Database::read(&self.etc)?;
        let before = self.given.clone();
        allocate(&database, to, &mut self.given)?;
        subordinate::allocate(&database, to, &mut self.given.subordinate)?;
        if self.given != before {
            write_json(disk, &path, &self.given)?;
        }
        Ok(())
    }

    /// Numbers of an owner, by name or number; accounts to come included.
    ///
    /// # Errors
    /// When there is no such account.
    pub(crate) fn owner(&self, user: &str, group: &str) -> Result<Ids, Error> {
        if (user, group) == ("root", "root") {
            return Ok((0, 0));
        }
        let database = Database::read(&self.etc)?;
        let unknown = |what: &str, name: &str| {
            Error::refused(format!(
                "there is no {what} `{name}` on the host, nor in the generation"
            ))
        };
        let uid = user.parse().ok().or_else(|| database.passwd.id(user));
        let gid = group.parse().ok().or_else(|| database.group.id(group));
        Ok((
            uid.or_else(|| self.given.users.get(user).copied())
                .ok_or_else(|| unknown("user", user))?,
            gid.or_else(|| self.given.groups.get(group).copied())
                .ok_or_else(|| unknown("group", group))?,
        ))
    }

    /// Adds to generation 0 the lines of accounts that are about to be managed.
    pub(crate) fn capture(&self, to: &Manifest, origin: &mut Origin) -> Result<(), Error> {
        let mut database = Database::read(&self.etc)?;
        let mut keys = Vec::new();
        for name in to.users.keys().filter(|name| !origin.made.contains(&format!("user:{name}"))) {
            keys.extend([format!("passwd:{name}"), format!("shadow:{name}")]);
        }
        for name in to.groups.keys().filter(|name| !origin.made.contains(&format!("group:{name}")))
        {
            keys.extend([format!("group:{name}"), format!("gshadow:{name}")]);
        }
        for key in keys {
            if let Some(line) = database.line(&key) {
                origin.accounts.entry(key).or_insert(line);
            }
        }
        subordinate::capture(&mut database, to, origin);
        Ok(())
    }

    /// Adds and changes what `to` holds. `remember` is called with what is made, before it is.
    ///
    /// # Errors
    /// When the files cannot be locked or written.
    pub(crate) fn bring(
        &self,
        disk: &Disk,
        to: &Manifest,
        origin: &mut Origin,
        remember: &dyn Fn(&Origin) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if to.users.is_empty() && to.groups.is_empty() && origin.made.is_empty() {
            return Ok(());
        }
        let _locked = Locked::take(&self.etc)?;
        let mut before = Database::read(&self.etc)?;
        for (kind, names, table) in [
            ("user", to.users.keys().collect::<Vec<_>>(), &before.passwd),
            ("group", to.groups.keys().collect(), &before.group),
        ] {
            let missing = names.into_iter().filter(|name| table.line(name).is_none());
            origin.made.extend(missing.map(|name| format!("{kind}:{name}")));
        }
        for (user, account) in &to.users {
            for group in account.extra_groups.iter().filter(|group| !to.groups.contains_key(*group))
            {
                if !members(&before, group).contains(user) {
                    origin.made.insert(format!("member:{group}:{user}"));
                }
            }
            if account.create_home && !Path::new(&account.home).exists() {
                origin.made.insert(format!("home:{}", account.home));
            }
        }
        subordinate::made(&mut before, to, &mut origin.made);
        remember(origin)?;
        let mut after = plan(&before, to, &self.given, origin)?;
        after.write(&mut before, disk, &self.etc)?;
        for (name, user) in to.users.iter().filter(|(_, user)| user.create_home) {
            make_home(disk, &after, name, user)?;
        }
        Ok(())
    }

    /// Removes what Cairn made and `to` does not hold, and gives back what the host had.
    ///
    /// # Errors
    /// When the files cannot be locked or written.
    pub(crate) fn settle(
        &self,
        disk: &Disk,
        to: &Manifest,
        origin: &mut Origin,
    ) -> Result<(), Error> {
        let managed = |key: &str| {
            let (kind, name) = key.split_once(':').unwrap_or((key, ""));
            match kind {
                "user" | "passwd" | "shadow" => to.users.contains_key(name),
                "group" | "gshadow" => to.groups.contains_key(name),
                "subuid" | "subgid" => {
                    to.users.get(name).is_some_and(|user| subordinate::decides(user, kind))
                }
                "file" => to.users.values().any(|user| subordinate::decides(user, name)),
                "home" => to.users.values().any(|user| user.home == name),
                _ => name.split_once(':').is_some_and(|(group, user)| {
                    to.users.get(user).is_some_and(|user| user.extra_groups.contains(group))
                        || to.groups.contains_key(group)
                }),
            }
        };
        let gone: BTreeSet<String> =
            origin.made.iter().filter(|key| !managed(key)).cloned().collect();
        let back: BTreeMap<String, String> = origin
            .accounts
            .iter()
            .filter(|(key, _)| !managed(key))
            .map(|(key, line)| (key.clone(), line.clone()))
            .collect();
        if gone.is_empty() && back.is_empty() {
            return Ok(());
        }
        let _locked = Locked::take(&self.etc)?;
        let mut before = Database::read(&self.etc)?;
        let mut after = before.clone();
        give_back(&mut after, &gone, &back);
        after.write(&mut before, disk, &self.etc)?;
        for home in gone.iter().filter_map(|key| key.strip_prefix("home:")) {
            // What somebody put there is theirs.
            disk.remove_empty_dir(Path::new(home))?;
        }
        origin.made.retain(|key| !gone.contains(key));
        origin.accounts.retain(|key, _| !back.contains_key(key));
        Ok(())
    }

    /// The login `name` after a switch to `to`; none when it is not there then.
    ///
    /// # Errors
    /// When the files cannot be read, or accounts cannot be as `to` says.
    pub(crate) fn after(
        &self,
        name: &str,
        to: &Manifest,
        origin: &Origin,
    ) -> Result<Option<Account>, Error> {
        let mut database = plan(&Database::read(&self.etc)?, to, &self.given, origin)?;
        if !to.users.contains_key(name) {
            if origin.made.contains(&format!("user:{name}")) {
                return Ok(None);
            }
            for file in ["passwd", "shadow"] {
                if let Some(line) = origin.accounts.get(&format!("{file}:{name}")) {
                    database.table(file).set(line.clone());
                }
            }
        }
        let Some(fields) = database.passwd.fields(name) else { return Ok(None) };
        let field = |at: usize| fields.get(at).cloned().unwrap_or_default();
        let password = match database.shadow.fields(name) {
            Some(fields) => fields.get(1).cloned().unwrap_or_default(),
            None => field(1),
        };
        let primary = field(3).parse().ok().and_then(|id| database.group.name_of_id(id));
        let mut groups: BTreeSet<String> = primary.map(str::to_owned).into_iter().collect();
        let all: Vec<String> = database.group.names().map(str::to_owned).collect();
        groups.extend(all.into_iter().filter(|group| members(&database, group).contains(name)));
        Ok(Some(Account {
            name: name.to_owned(),
            home: field(5),
            shell: field(6),
            has_password: !password.starts_with(['!', '*']) && password != "x",
            groups,
        }))
    }

    /// Accounts that are not as `manifest` says.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub(crate) fn drift(&self, manifest: &Manifest, origin: &Origin) -> Result<Vec<Drift>, Error> {
        let database = Database::read(&self.etc)?;
        Ok(drift::of(&database, manifest, &self.given, origin))
    }
}

fn allocate(database: &Database, to: &Manifest, given: &mut Given) -> Result<(), Error> {
    let mut gids: BTreeSet<u32> =
        database.group.names().filter_map(|name| database.group.id(name)).collect();
    let mut uids: BTreeSet<u32> =
        database.passwd.names().filter_map(|name| database.passwd.id(name)).collect();
    // What an account that is away for now had is not given to another.
    gids.extend(
        given.groups.values().chain(to.groups.values().filter_map(|group| group.gid.as_ref())),
    );
    uids.extend(given.users.values().chain(to.users.values().filter_map(|user| user.uid.as_ref())));
    for (name, group) in &to.groups {
        check_name("group", name)?;
        let there = database.group.id(name);
        let id = choose(
            "group",
            name,
            group.gid,
            there,
            given.groups.get(name).copied(),
            &gids,
            group.is_system,
        )?;
        if let Some(other) = database.group.name_of_id(id).filter(|other| other != name) {
            return Err(taken("group", name, id, other));
        }
        gids.insert(id);
        given.groups.insert(name.clone(), id);
    }
    for (name, user) in &to.users {
        check_user(name, user)?;
        if !to.groups.contains_key(&user.group) && database.group.line(&user.group).is_none() {
            return Err(Error::refused(format!(
                "the user {name} is in the group `{}`, which neither the host nor the generation has",
                user.group
            )));
        }
        if let Some(group) = user
            .extra_groups
            .iter()
            .find(|group| !to.groups.contains_key(*group) && database.group.line(group).is_none())
        {
            return Err(Error::refused(format!(
                "the user {name} is in the group `{group}`, which neither the host nor the generation has"
            )));
        }
        let there = database.passwd.id(name);
        let id = choose(
            "user",
            name,
            user.uid,
            there,
            given.users.get(name).copied(),
            &uids,
            user.is_system,
        )?;
        if let Some(other) = database.passwd.name_of_id(id).filter(|other| other != name) {
            return Err(taken("user", name, id, other));
        }
        uids.insert(id);
        given.users.insert(name.clone(), id);
    }
    Ok(())
}

fn taken(what: &str, name: &str, id: u32, other: &str) -> Error {
    Error::refused(format!("the {what} {name} cannot have the id {id}: {other} has it on the host"))
}

fn choose(
    what: &str,
    name: &str,
    fixed: Option<u32>,
    there: Option<u32>,
    given: Option<u32>,
    taken: &BTreeSet<u32>,
    is_system: bool,
) -> Result<u32, Error> {
    match (fixed, there) {
        (Some(fixed), Some(there)) if fixed != there => Err(Error::refused(format!(
            "the {what} {name} has the id {there} on the host, and the generation says {fixed}: files would \
             change hands; change one of the two"
        ))),
        (_, Some(id)) | (Some(id), None) => Ok(id),
        (None, None) => {
            // Debian's ranges: system ids from the top, others from the bottom.
            let mut free: Box<dyn Iterator<Item = u32>> =
                if is_system { Box::new((100..=999).rev()) } else { Box::new(1000..=59999) };
            given
                .or_else(|| free.find(|id| !taken.contains(id)))
                .ok_or_else(|| Error::refused(format!("no id is free for the {what} {name}")))
        }
    }
}

/// The files as they should be: accounts of `to` added and changed, everything else as it is.
fn plan(
    before: &Database,
    to: &Manifest,
    given: &Given,
    origin: &Origin,
) -> Result<Database, Error> {
    let mut after = before.clone();
    for (name, group) in &to.groups {
        put_group(&mut after, name, group, to, given, origin);
    }
    for (name, user) in &to.users {
        put_user(&mut after, name, user, given)?;
        for group in user.extra_groups.iter().filter(|group| !to.groups.contains_key(*group)) {
            let mut list = members(&after, group);
            if list.insert(name.clone()) {
                set_members(&mut after, group, &list);
            }
        }
    }
    subordinate::plan(&mut after, to, &given.subordinate);
    let strayed = origin.made.iter().filter_map(|key| key.strip_prefix("member:")?.split_once(':'));
    for (group, user) in strayed.filter(|(group, _)| !to.groups.contains_key(*group)) {
        if to.users.get(user).is_some_and(|user| !user.extra_groups.contains(group)) {
            let mut list = members(&after, group);
            list.remove(user);
            set_members(&mut after, group, &list);
        }
    }
    Ok(after)
}

fn put_group(
    after: &mut Database,
    name: &str,
    group: &Group,
    to: &Manifest,
    given: &Given,
    origin: &Origin,
) {
    let id = after.group.id(name).or_else(|| given.groups.get(name).copied()).unwrap_or_default();
    let mut list = group.members.clone();
    let named = to.users.iter().filter(|(_, user)| user.extra_groups.contains(name));
    list.extend(named.map(|(user, _)| user.clone()));
    if let Some(line) = origin.accounts.get(&format!("group:{name}")) {
        list.extend(member_field(line));
    }
    let joined = join(&list);
    let password = after.group.fields(name).and_then(|fields| fields.get(1).cloned());
    after.group.set(format!("{name}:{}:{id}:{joined}", password.unwrap_or_else(|| "x".to_owned())));
    if after.gshadow.exists {
        let mut fields = after.gshadow.fields(name).unwrap_or_default();
        if fields.len() < 4 {
            fields = vec![name.to_owned(), "!".to_owned(), String::new(), String::new()];
        }
        if let Some(field) = fields.get_mut(3) {
            *field = joined;
        }
        after.gshadow.set(fields.join(":"));
    }
}

fn put_user(after: &mut Database, name: &str, user: &User, given: &Given) -> Result<(), Error> {
    let gid = after.group.id(&user.group).ok_or_else(|| {
        Error::refused(format!(
            "the user {name} is in the group `{}`, which is not there",
            user.group
        ))
    })?;
    let uid = after.passwd.id(name).or_else(|| given.users.get(name).copied()).unwrap_or_default();
    after
        .passwd
        .set(format!("{name}:x:{uid}:{gid}:{}:{}:{}", user.description, user.home, user.shell));
    if !after.shadow.exists {
        return Ok(());
    }
    let fields = after.shadow.fields(name).filter(|fields| fields.len() >= 8);
    let mut fields = match (fields, &user.hashed_password) {
        (Some(_), None) => return Ok(()),
        (Some(fields), Some(_)) => fields,
        // `*` is no password, yet lets keys in; `!` would lock the account for sshd without PAM.
        (None, _) => [name, "*", &today().to_string(), "0", "99999", "7", "", "", ""]
            .iter()
            .map(|field| (*field).to_owned())
            .collect(),
    };
    if let (Some(field), Some(password)) = (fields.get_mut(1), &user.hashed_password) {
        field.clone_from(password);
    }
    after.shadow.set(fields.join(":"));
    Ok(())
}

fn give_back(after: &mut Database, gone: &BTreeSet<String>, back: &BTreeMap<String, String>) {
    for key in gone {
        match key.split_once(':') {
            Some(("user", name)) => {
                after.passwd.remove(name);
                after.shadow.remove(name);
            }
            Some(("group", name)) => {
                after.group.remove(name);
                after.gshadow.remove(name);
            }
            Some((file @ ("subuid" | "subgid"), name)) => after.table(file).remove(name),
            Some(("member", rest)) => {
                if let Some((group, user)) = rest.split_once(':') {
                    let mut list = members(after, group);
                    if list.remove(user) {
                        set_members(after, group, &list);
                    }
                }
            }
            _ => {}
        }
    }
    for (key, line) in back {
        match key.split_once(':') {
            Some((file @ ("subuid" | "subgid"), name)) => {
                let lines: Vec<String> = line.lines().map(str::to_owned).collect();
                after.table(file).set_all(name, &lines);
            }
            Some((file, _)) => after.table(file).set(line.clone()),
            None => {}
        }
    }
    // A file that the host did not have, and in which nobody has anything now.
    for file in gone.iter().filter_map(|key| key.strip_prefix("file:")) {
        after.table(file).drop_if_empty();
    }
}

fn members(database: &Database, group: &str) -> BTreeSet<String> {
    database.group.line(group).map(member_field).unwrap_or_default()
}

fn member_field(line: &str) -> BTreeSet<String> {
    let field = line.split(':').nth(3).unwrap_or("");
    field.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn set_members(database: &mut Database, group: &str, list: &BTreeSet<String>) {
    for table in [&mut database.group, &mut database.gshadow] {
        if let Some(mut fields) = table.fields(group)
            && let Some(field) = fields.get_mut(3)
        {
            // Who was there keeps their place: the line of an unmanaged group changes no more than it must.
            let mut names: Vec<String> =
                field.split(',').filter(|name| list.contains(*name)).map(str::to_owned).collect();
            names.extend(
                list.iter().filter(|name| !field.split(',').any(|there| there == *name)).cloned(),
            );
            *field = names.join(",");
            table.set(fields.join(":"));
        }
    }
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

fn make_home(disk: &Disk, database: &Database, name: &str, user: &User) -> Result<(), Error> {
    let home = Path::new(&user.home);
    if home.exists() {
        return Ok(());
    }
    disk.create_dirs(home.parent().unwrap_or(home), 0o755)?;
    disk.create_dir(home, 0o700)?;
    let uid = database.passwd.id(name);
    let gid = database.group.id(&user.group);
    std::os::unix::fs::chown(home, uid, gid).map_err(crate::error::io("set the owner of", home))
}

fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

/// A colon or a line break in a field would be another field or another account.
fn check_user(name: &str, user: &User) -> Result<(), Error> {
    check_name("user", name)?;
    let odd = |text: &str| text.contains(|c: char| c == ':' || c.is_control());
    let password = user.hashed_password.as_deref().unwrap_or("");
    let fields = [&user.description, &user.home, &user.shell];
    if fields.into_iter().any(|field| odd(field)) || odd(password) {
        return Err(Error::refused(format!(
            "a field of the user {name} holds a colon or a line break"
        )));
    }
    if !user.home.starts_with('/') || !user.shell.starts_with('/') {
        return Err(Error::refused(format!(
            "home and shell of the user {name} must be absolute paths"
        )));
    }
    Ok(())
}

fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|c| c.is_ascii_lowercase() || c == b'_')
        && bytes.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"_-.".contains(&c))
        && name.len() <= 32;
    match plain {
        true => Ok(()),
        false => Err(Error::refused(format!("`{name}` cannot be the name of a {what}"))),
    }
}

#[cfg(test)]
mod tests;
