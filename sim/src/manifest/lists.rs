//! Lists of one kind, such as the `PodList` of `kubectl get --raw`: read as a `List` of objects that name their kind.

use serde_json::{Value, json};

/// Makes a list of one kind a `List`; the items of such a list need not repeat its kind and version.
pub(super) fn untype(value: &mut Value) {
    let list = value["kind"].as_str().and_then(|kind| kind.strip_suffix("List")).map(str::to_owned);
    let version = value["apiVersion"].clone();
    let (Some(kind), Some(items)) = (list, value.get_mut("items").and_then(Value::as_array_mut)) else {
        return;
    };
    for item in items.iter_mut() {
        if let Some(fields) =
            item.as_object_mut().filter(|fields| !kind.is_empty() && !fields.contains_key("kind"))
        {
            fields.insert("kind".to_owned(), json!(kind));
            fields.entry("apiVersion").or_insert(version.clone());
        }
        untype(item);
    }
    value["kind"] = json!("List");
}
