//! `bugle serve`. In: the settings. Out: a node that runs until it is told to stop.

use super::{CommandError, thrift};
use crate::config::ServeArgs;
use crate::{server, telemetry};

pub(super) fn run(args: &ServeArgs) -> Result<(), CommandError> {
    thrift::give_back_large_blocks();
    telemetry::start(args.log_format, &args.log);
    let config = args.check().map_err(|error| error.to_string())?;
    let system = actix_web::rt::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(2)
            .build()
            .expect("the system can start threads")
    });
    let result = system.block_on(server::serve(config));
    // Its end would wait for threads that wait for a frozen database.
    std::mem::forget(system);
    result.map_err(|error| error.to_string().into())
}
