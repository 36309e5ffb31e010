//! Rule files of Thanos Ruler whose groups run on a part of the data when not all of it can be read. Its default, to fail
//! then, needs no field: plain files say it.

use serde::Serialize;

use super::{Group, Made, Source};
use crate::model::Estate;
use crate::yaml;

#[derive(Serialize)]
struct File {
    groups: Vec<Group>,
}

pub(super) fn file(_: &Estate, source: &Source<'_>, groups: Vec<Group>) -> Made {
    let warn = |group: Group| Group { partial_response_strategy: Some("warn".to_owned()), ..group };
    let file = File { groups: groups.into_iter().map(warn).collect() };
    Ok(vec![(format!("rules/thanos/{}.rules.yaml", source.stem), yaml::to_string(&file)?)])
}
