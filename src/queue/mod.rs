pub mod tasks_redis;
