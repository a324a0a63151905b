//! What a task is reached by, and runs on, in its cluster.

use super::{Reach, Via};
use crate::args::PlaceOptions;
use crate::failure::CommandError;

impl Reach {
    /// Takes in what flags say of it, which goes before the environment and the project file.
    pub(crate) fn place(&mut self, options: &PlaceOptions) -> anyhow::Result<()> {
        let Via::Cluster(place, _) = &mut self.via else {
            return refuse_flags_of_cluster(options);
        };
        if !options.subnet.is_empty() {
            place.subnets.clone_from(&options.subnet);
        }
        if !options.security_group.is_empty() {
            place.security_groups.clone_from(&options.security_group);
        }
        place.assign_public_ip |= options.assign_public_ip;
        place.capacity_provider = options.capacity_provider.clone().or(place.capacity_provider.take());
        Ok(())
    }
}

/// The function itself says where tasks run.
fn refuse_flags_of_cluster(options: &PlaceOptions) -> anyhow::Result<()> {
    let given = [
        ("--subnet", !options.subnet.is_empty()),
        ("--security-group", !options.security_group.is_empty()),
        ("--assign-public-ip", options.assign_public_ip),
        ("--capacity-provider", options.capacity_provider.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(CommandError::usage(format!(
            "{flag} goes with --cluster: the function decides where its tasks run"
        ))
        .hint("set ENV_SUBNET and ENV_SECURITY_GROUP of the function")
        .into()),
        None => Ok(()),
    }
}
