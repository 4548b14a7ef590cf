use super::Company;
pub(super) fn add(_company: &mut Company) {}
