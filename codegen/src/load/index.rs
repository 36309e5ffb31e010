//! Which trees name a service: whoever looks for one SLO need not walk the whole estate.

use std::collections::BTreeMap;

use super::Sources;
use crate::yaml::{Node, Value};

impl Sources {
    /// The trees of a service, in order, with their indices.
    pub fn trees_of(&self, service: &str) -> impl Iterator<Item = (usize, &Node)> {
        let all = self.by_service.get_or_init(|| {
            let mut all: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (index, tree) in self.trees.iter().enumerate() {
                let named = tree.as_ref().and_then(|it| it.get("service")).map(|it| &it.value);
                if let Some(Value::Scalar { text, .. }) = named {
                    all.entry(text.clone()).or_default().push(index);
                }
            }
            all
        });
        let indices = all.get(service).map_or(&[][..], Vec::as_slice);
        indices.iter().filter_map(|index| Some((*index, self.trees[*index].as_ref()?)))
    }
}
