//! Resource limits, and faults on either side of the host.

mod faults;
mod quotas;
