"""RabbitMQ: topology, publishing, consuming, deliveries, the token bucket. The only room that imports aio_pika."""
