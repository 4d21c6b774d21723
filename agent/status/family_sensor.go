package status

func sensorFamilies() []family {
	return []family{
		gauge("build_info", "The program, constant 1.", "version revision goversion", func(s *Snapshot, put put) {
			put(1, s.Version.Version, s.Version.Revision, s.Version.GoVersion)
		}),
		gauge("sensor_info", "The sensor as in its events, constant 1.", "name id", func(s *Snapshot, put put) {
			put(1, s.Sensor.Name, s.Sensor.ID)
		}),
		gauge("config_info", "Hash of the configuration in effect, constant 1.", "hash", func(s *Snapshot, put put) {
			put(1, s.Config.Hash)
		}),
		gauge("config_loaded_timestamp_seconds", "When the configuration in effect was loaded.", "",
			one(func(s *Snapshot) float64 { return instant(s.Config.LoadedAt) })),
		gauge("config_last_reload_success", "Whether the last attempt to load the configuration went well.", "",
			one(func(s *Snapshot) float64 { return truth(s.Config.LastReload.OK) })),
		gauge("config_last_reload_timestamp_seconds", "When the last attempt to load the configuration was.", "",
			one(func(s *Snapshot) float64 { return instant(s.Config.LastReload.At) })),
		gauge("config_restart_pending", "Keys of the configuration whose values wait for a restart.", "",
			one(func(s *Snapshot) float64 { return float64(len(s.Config.RestartPending)) })),
		gauge("start_timestamp_seconds", "When the sensor started.", "",
			one(func(s *Snapshot) float64 { return instant(s.StartedAt) })),
		gauge("state", "1 for the state that the sensor is in.", "state", func(s *Snapshot, put put) {
			for _, state := range [...]string{Starting, Running, Draining} {
				put(truth(s.State == state), state)
			}
		}),
		gauge("ready", "Whether the sensor is ready, as /readyz says.", "",
			one(func(s *Snapshot) float64 { return truth(s.Ready) })),
		gauge("not_ready", "1 for each reason why the sensor is not ready.", "reason", func(s *Snapshot, put put) {
			for _, code := range ReasonCodes() {
				put(0, code)
			}
			for i := range s.Reasons {
				put(1, s.Reasons[i].Code)
			}
		}),

		gauge("trails_loaded", "Trails in use.", "",
			one(func(s *Snapshot) float64 { return float64(s.Trails.Count) })),
		gauge("trails_generation", "Number of the trail table in use, counted since the start.", "",
			one(func(s *Snapshot) float64 { return float64(s.Trails.Generation) })),
		gauge("trails_size_bytes", "Size of the trail table in use.", "",
			one(func(s *Snapshot) float64 { return float64(s.Trails.SizeBytes) })),
		gauge("trails_created_timestamp_seconds", "When the trails in use were read from their sources.", "",
			one(func(s *Snapshot) float64 { return instant(s.Trails.CreatedAt) })),
		gauge("trails_max_age_seconds", "Age beyond which trails make the sensor not ready; 0: none does.", "",
			one(func(s *Snapshot) float64 { return s.Trails.MaxAgeSeconds })),
		gauge("trails_starter", "Whether only the built-in starter trails are in use.", "",
			one(func(s *Snapshot) float64 { return truth(s.Trails.Starter) })),
		counter("trails_reloads_total", "New trail tables by what became of them; rejected ones lost too many trails.", "result", func(s *Snapshot, put put) {
			put(float64(s.Trails.Reloads.OK), "ok")
			put(float64(s.Trails.Reloads.Failed), "failed")
			put(float64(s.Trails.Reloads.Rejected), "rejected")
		}),
		counter("trails_faults_total", "Batches in which the trail table could not be read.", "",
			one(func(s *Snapshot) float64 { return float64(s.Trails.Faults) })),

		counter("status_connections_evicted_total", "Connections to the status endpoint that were closed to make room for newer ones.", "",
			one(func(s *Snapshot) float64 { return float64(s.Endpoint.Evicted) })),

		gauge("memory_rings_bytes", "Memory of all capture rings.", "",
			one(func(s *Snapshot) float64 { return float64(s.Memory.RingsBytes) })),
		gauge("memory_store_used_bytes", "Memory that a store holds.", "store", func(s *Snapshot, put put) {
			for _, b := range s.Memory.Bounds {
				put(float64(b.UsedBytes), b.Store)
			}
		}),
		gauge("memory_store_bound_bytes", "The most memory that a store may hold.", "store", func(s *Snapshot, put put) {
			for _, b := range s.Memory.Bounds {
				put(float64(b.BoundBytes), b.Store)
			}
		}),
	}
}
